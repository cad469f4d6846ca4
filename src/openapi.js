// The description of the API is a module by itself, which entry.mjs brings in when it is asked for first: neither the
// wasm nor the start of an isolate grows by it.
export async function openapi() {
  const { default: text } = await globalThis.clicktrailOpenapi();
  return new Response(text, {
    headers: {
      "content-type": "application/json",
      "cache-control": "public, max-age=3600",
    },
  });
}
