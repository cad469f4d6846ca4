// PBKDF2 by the platform: in wasm it would cost ten times as much, and the platform takes no more than 100,000 rounds.
const rounds = 100_000;

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

async function derive(word, salt, iterations) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(word), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256));
}

// The hash names its rounds, so that they can be raised for new ones.
export async function hash(word) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return `pbkdf2-sha256$${rounds}$${base64(salt)}$${base64(await derive(word, salt, rounds))}`;
}

export async function fits(word, hash) {
  const [kind, iterations, salt, wanted] = hash.split("$");
  if (kind !== "pbkdf2-sha256") return false;
  const [found, expected] = [await derive(word, bytes(salt), Number(iterations)), bytes(wanted)];
  return found.length === expected.length && crypto.subtle.timingSafeEqual(found, expected);
}
