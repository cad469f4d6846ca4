// What every answer says besides what it is; here because it takes one crossing. A header that the route has set stays.
// `readers`: origins whose pages may read what is not public, between spaces. `hsts`: seconds, 0 where there is no TLS.
export function finish(request, response, isPublic, readers, hsts) {
  if (response.status === 101) return response;
  if (hits.has(response)) {
    if (hsts > 0) response.headers.set("strict-transport-security", `max-age=${hsts}`);
    return response;
  }
  const origin = request.headers.get("origin");
  const listed = !isPublic && origin && readers.split(" ").some((reader) => reader === origin || reader === "*");
  const asks = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  if (listed && asks) response = new Response(null, { status: 204, headers: preflight });
  let { headers } = response;
  try {
    headers.set("x-content-type-options", "nosniff");
  } catch {
    response = new Response(response.body, response); // a file's are not to be changed
    headers = response.headers;
    headers.set("x-content-type-options", "nosniff");
  }
  const set = (name, value) => headers.has(name) || headers.set(name, value);
  if (hsts > 0) set("strict-transport-security", `max-age=${hsts}`);
  if (response.status >= 300 && response.status < 400 && headers.has("location")) {
    // Nothing about referrers: a redirect would decide what the page that it leads to hears of its visitors.
    return response;
  }
  set("cache-control", "no-store");
  set("referrer-policy", "no-referrer");
  set("content-security-policy", headers.get("content-type")?.startsWith("text/html") ? ofPages : ofData);
  set("cross-origin-resource-policy", isPublic ? "cross-origin" : "same-origin");
  headers.delete("access-control-allow-origin");
  if (isPublic) headers.set("access-control-allow-origin", "*");
  if (!isPublic && readers !== "") headers.append("vary", "origin");
  if (listed) {
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", exposed);
  }
  return response;
}

// The answer to a hit, which says all of the above from the start: twelve headers that are looked at or set one by one cost more
// than the answer itself. `said` is what the pixel says of itself.
export function hit(body, type, cache, said) {
  const headers = { ...ofHits, "content-type": type, "cache-control": cache };
  if (said !== "") {
    headers["x-clicktrail"] = said;
    headers["access-control-expose-headers"] = "x-clicktrail";
  }
  const response = new Response(body.slice(), { headers }); // a copy: by itself it is a window into the memory of the wasm
  hits.add(response);
  return response;
}

// Of a page that brings none of its own: what it loads and whom it talks to is the service's.
const ofPages =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
// Opened by itself an answer is a document of this origin: there is nothing in it to run, and nothing may.
const ofData = "default-src 'none'; frame-ancestors 'none'; sandbox";
const ofHits = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": ofData,
  "cross-origin-resource-policy": "cross-origin",
  "access-control-allow-origin": "*",
};
const hits = new WeakSet();
const exposed = "etag, retry-after, idempotent-replayed, content-disposition, x-clicktrail-live-within";
const preflight = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "authorization, content-type, if-match, if-none-match, idempotency-key",
  "access-control-max-age": "600",
};
