// Requests to servers of customers, all at once: no redirect is followed, nothing is waited for longer than it may take,
// and of an answer only the beginning is read. Of each: its status (0: none came), for how many seconds it asks to be
// left alone, and what it said.
export async function sendAll(requests, timeoutMs, mostChars) {
  const send = async ([url, method, headers, body]) => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(url, { method, headers, body: method === "GET" ? undefined : body, redirect: "manual", signal });
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      let text = "";
      try {
        for (let part; reader && text.length < mostChars && !(part = await reader.read()).done; ) text += decoder.decode(part.value, { stream: true });
      } catch {
        // The status has come, and it is what counts.
      }
      reader?.cancel().catch(() => {});
      const pause = Number(response.headers.get("retry-after"));
      return [response.status, Number.isInteger(pause) && pause > 0 ? pause : null, text.slice(0, mostChars)];
    } catch (error) {
      return [0, null, `no answer: ${error.message}`];
    }
  };
  return JSON.stringify(await Promise.all(JSON.parse(requests).map((request) => (request[0] ? send(request) : [0, null, request[1]]))));
}
