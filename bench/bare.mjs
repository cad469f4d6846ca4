// The floor: what a Worker costs that does nothing. Every figure stands beside it.
export default {
  fetch: () => new Response(null, { status: 302, headers: { location: "https://example.com/", "cache-control": "private, no-store" } }),
};
