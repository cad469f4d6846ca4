// The tag is a text module, brought in like the description of the API: see openapi.js. What it must know of the settings
// is written into it, so that a page pays no second request for them.
let made;

export async function tag(request, signals) {
  // The value, not the promise: requests may not wait for each other.
  made ??= await make(signals);
  const { text, etag } = made;
  const headers = {
    etag,
    "cache-control": "public, max-age=3600",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
  };
  if (request.headers.get("if-none-match")?.split(/,\s*/).some((tag) => tag.replace(/^W\//, "") === etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers["content-type"] = "text/javascript; charset=utf-8";
  headers["x-content-type-options"] = "nosniff";
  return new Response(text, { headers });
}

async function make(signals) {
  const { default: source } = await globalThis.clicktrailTag();
  const text = source.replaceAll("SIGNALS", JSON.stringify(signals === "ignore" ? "" : signals));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return { text, etag: `"${[...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}"` };
}
