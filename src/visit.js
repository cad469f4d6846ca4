// What a request tells of its visitor, one line each, in the order of `Line` in visit.rs. Read here because each of these
// is cheap in JavaScript and dear across the border: one crossing instead of twenty.
export function facts(request, placeHeader, listens) {
  const { headers } = request;
  const said = placeHeader && headers.get(placeHeader);
  const cf = said ? Object.fromEntries(new URLSearchParams(said.replace(/%0[ad]/gi, ""))) : (request.cf ?? {});
  const brands = headers.get("sec-ch-ua");
  return [
    request.method,
    headers.get("user-agent"),
    address(request),
    headers.get("referer"),
    headers.get("accept-language"),
    headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz"),
    brands,
    headers.get("sec-ch-ua-mobile"),
    headers.get("sec-ch-ua-platform"),
    // Nobody sends these without the brands, and each look costs.
    brands && headers.get("sec-ch-ua-model"),
    brands && headers.get("sec-ch-ua-platform-version"),
    cf.country,
    cf.regionCode,
    cf.city,
    cf.continent,
    cf.asn,
    cf.timezone,
    cf.botManagement?.verifiedBot || cf.verifiedBotCategory ? 1 : "",
    listens ? signals(headers) : "",
  ].join("\n");
}

// A letter each for `Signals` of the crate analytics.
function signals(headers) {
  const out = headers.get("cookie")?.includes("clicktrail_off=1") ? "o" : "";
  return (headers.get("dnt") === "1" ? "d" : "") + (headers.get("sec-gpc") === "1" ? "g" : "") + out;
}

// The platform's word: what a client sends under this name is replaced.
export function address(request) {
  return request.headers.get("cf-connecting-ip") ?? "";
}
