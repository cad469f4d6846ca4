// The answer of a redirect. Made here because it takes one crossing instead of six.
// `asks`: the browser is to send these hints with its next request.
export function redirect(status, location, asks) {
  // A browser or proxy that kept the answer would keep the next click to itself.
  const headers = { location, "cache-control": "private, no-store", "x-content-type-options": "nosniff" };
  if (asks) headers["accept-ch"] = "Sec-CH-UA-Model, Sec-CH-UA-Platform-Version";
  return new Response(null, { status, headers });
}

// A page for a person, in place of a redirect.
export function page(status, html, policy) {
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "private, no-store",
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
      "x-robots-tag": "noindex",
    },
  });
}
