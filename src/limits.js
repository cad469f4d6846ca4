// Whether a limiter lets one more of this key through. One that does not answer lets everything through: it is there for
// bad days, and must not be the cause of one.
export async function within(limiter, key) {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    console.warn(`a rate limit did not answer: ${error}`);
    return true;
  }
}
