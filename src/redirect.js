// The answer of a redirect. Made here because it takes one crossing instead of six.
export function redirect(status, location) {
  // A browser or proxy that kept the answer would keep the next click to itself.
  return new Response(null, {
    status,
    headers: { location, "cache-control": "private, no-store", "x-content-type-options": "nosniff" },
  });
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
