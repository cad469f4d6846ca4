// Who there is in `make demo`: a shop, its campaigns and links, and the people and machines that come by.
const shop = "https://shop.example";

export const PUBLISHERS = [
  { id: "morning-mail", name: "Morning Mail", payout_model: "cpc", payout_micros: 180_000, currency: "EUR" },
  { id: "trailhead", name: "Trailhead Magazine", payout_model: "cpm", payout_micros: 4_200_000, currency: "EUR" },
  { id: "peak-partners", name: "Peak Partners", payout_model: "revshare", payout_percent: 8, currency: "EUR" },
];

export const CAMPAIGNS = [
  { id: "autumn-sale", name: "Autumn sale", cost_model: "cpc", cost_micros: 210_000, currency: "EUR", budget_micros: 9_000_000_000 },
  { id: "newsletter", name: "Weekly newsletter", publisher_id: "morning-mail", medium: "email", currency: "EUR" },
  { id: "brand-search", name: "Brand search", cost_model: "cpc", cost_micros: 340_000, currency: "EUR" },
  { id: "display-hikers", name: "Display: hikers", cost_model: "cpm", cost_micros: 2_400_000, currency: "EUR", publisher_id: "trailhead" },
  { id: "influencers", name: "Creators", publisher_id: "peak-partners", cost_model: "cpa", cost_micros: 3_500_000, currency: "EUR" },
  { id: "app-install", name: "App install", cost_model: "cpc", cost_micros: 150_000, currency: "EUR" },
  { id: "store-posters", name: "Posters in stores", medium: "print" },
];

export const LINKS = [
  { token: "sale", url: `${shop}/sale`, campaign: "autumn-sale", title: "Autumn sale, front page", tags: ["sale"], weight: 17, converts: 0.042, value: 64, display: true },
  { token: "boots", url: `${shop}/boots`, campaign: "autumn-sale", title: "Hiking boots", tags: ["sale", "shoes"], weight: 11, converts: 0.05, value: 119 },
  { token: "rain", url: `${shop}/rainwear`, campaign: "autumn-sale", title: "Rainwear", tags: ["sale"], weight: 8, converts: 0.036, value: 82, from: 0.35 },
  { token: "weekly", url: `${shop}/weekly`, campaign: "newsletter", title: "Newsletter: this week", tags: ["mail"], weight: 12, converts: 0.061, value: 58, referrers: ["mail", "direct"] },
  { token: "picks", url: `${shop}/picks`, campaign: "newsletter", title: "Newsletter: our picks", tags: ["mail"], weight: 7, converts: 0.047, value: 49, referrers: ["mail", "direct"] },
  { token: "find", url: `${shop}/`, campaign: "brand-search", title: "Brand search, home", tags: ["search"], weight: 10, converts: 0.07, value: 71, referrers: ["google", "bing"] },
  { token: "tents", url: `${shop}/tents`, campaign: "display-hikers", title: "Tents for two", tags: ["display"], weight: 6, converts: 0.018, value: 189, display: true },
  { token: "packs", url: `${shop}/backpacks`, campaign: "display-hikers", title: "Backpacks", tags: ["display"], weight: 5, converts: 0.021, value: 94, display: true, from: 0.2 },
  { token: "lena", url: `${shop}/with/lena`, campaign: "influencers", title: "Lena’s list", tags: ["creators"], weight: 6, converts: 0.033, value: 67, referrers: ["instagram", "youtube", "tiktok"], from: 0.25 },
  { token: "marco", url: `${shop}/with/marco`, campaign: "influencers", title: "Marco on the Alps", tags: ["creators"], weight: 4, converts: 0.029, value: 88, referrers: ["youtube", "instagram"], from: 0.5 },
  {
    token: "getapp",
    url: `${shop}/app`,
    campaign: "app-install",
    title: "Get the app",
    tags: ["app"],
    weight: 6,
    converts: 0.02,
    value: 30,
    more: {
      rules: [
        { when: { os: ["ios"], in_app: false }, url: "https://apps.apple.com/app/id1234567890" },
        { when: { os: ["android"] }, url: "https://play.google.com/store/apps/details?id=example.shop" },
        { when: { country: ["DE", "AT", "CH"] }, url: `${shop}/de/app` },
      ],
    },
  },
  { token: "poster", url: `${shop}/stores`, campaign: "store-posters", title: "Poster, main station", tags: ["print"], weight: 3, converts: 0.012, value: 41, referrers: ["direct"] },
  {
    token: "checkout",
    url: `${shop}/checkout`,
    campaign: "autumn-sale",
    title: "Checkout test",
    tags: ["test"],
    weight: 2,
    converts: 0.05,
    value: 60,
    from: 0.95,
    more: {
      append_click_id: "click_id",
      variants: [
        { name: "two-steps", url: `${shop}/checkout/two-steps`, weight: 1 },
        { name: "one-page", url: `${shop}/checkout/one-page`, weight: 1 },
      ],
    },
  },
  { token: "spring", url: `${shop}/spring`, campaign: "autumn-sale", title: "Spring leftovers", tags: ["sale"], weight: 5, converts: 0.02, value: 35, to: 0.4, more: { archived: true } },
];

/** What is looked at after the click; how many of those who do not buy come so far, and how long they stay. */
export const WAY = [
  { path: "", keeps: 0.62, low: 8_000, high: 90_000 },
  { path: "/products/42", keeps: 0.5, low: 15_000, high: 240_000 },
  { path: "/cart", keeps: 0.3, low: 20_000, high: 180_000 },
  { path: "/checkout", keeps: 0.45, low: 40_000, high: 300_000 },
];

export const FUNNELS = [
  {
    id: "purchase",
    name: "From the click to the purchase",
    window_seconds: 86_400,
    steps: [
      { kind: "click", label: "Click" },
      { kind: "page", path: "/products/*", label: "Product" },
      { kind: "page", path: "/cart", label: "Cart" },
      { kind: "page", path: "/checkout", label: "Checkout" },
      { kind: "conversion", event_name: "purchase", label: "Purchase" },
    ],
  },
  {
    id: "big-baskets",
    name: "Autumn sale: big baskets",
    basis: "session",
    window_seconds: 3_600,
    steps: [
      { kind: "click", campaign_id: "autumn-sale", label: "Click on the sale" },
      { kind: "page", path: "/cart", label: "Cart" },
      { kind: "conversion", min_value: 100, label: "Purchase of 100 or more" },
    ],
  },
];

const place = (weight, country, continent, city, region, tz, offset, language) => ({ weight, country, continent, city, region, tz, offset, language });
export const PLACES = [
  place(1.9, "DE", "EU", "Berlin", "BE", "Europe/Berlin", 1, "de-DE,de;q=0.9"),
  place(1.0, "DE", "EU", "Munich", "BY", "Europe/Berlin", 1, "de-DE,de;q=0.9"),
  place(1.5, "US", "NA", "New York", "NY", "America/New_York", -5, "en-US,en;q=0.9"),
  place(1.0, "US", "NA", "San Francisco", "CA", "America/Los_Angeles", -8, "en-US,en;q=0.9"),
  place(1.2, "GB", "EU", "London", "ENG", "Europe/London", 0, "en-GB,en;q=0.9"),
  place(0.9, "FR", "EU", "Paris", "IDF", "Europe/Paris", 1, "fr-FR,fr;q=0.9"),
  place(0.7, "AT", "EU", "Vienna", "9", "Europe/Vienna", 1, "de-AT,de;q=0.9"),
  place(0.6, "CH", "EU", "Zurich", "ZH", "Europe/Zurich", 1, "de-CH,de;q=0.9"),
  place(0.5, "NL", "EU", "Amsterdam", "NH", "Europe/Amsterdam", 1, "nl-NL,nl;q=0.9"),
  place(0.5, "ES", "EU", "Madrid", "MD", "Europe/Madrid", 1, "es-ES,es;q=0.9"),
  place(0.4, "IT", "EU", "Milan", "25", "Europe/Rome", 1, "it-IT,it;q=0.9"),
  place(0.5, "BR", "SA", "São Paulo", "SP", "America/Sao_Paulo", -3, "pt-BR,pt;q=0.9"),
  place(0.5, "IN", "AS", "Bengaluru", "KA", "Asia/Kolkata", 5, "en-IN,en;q=0.9"),
  place(0.4, "JP", "AS", "Tokyo", "13", "Asia/Tokyo", 9, "ja-JP,ja;q=0.9"),
  place(0.35, "CA", "NA", "Toronto", "ON", "America/Toronto", -5, "en-CA,en;q=0.9"),
  place(0.3, "AU", "OC", "Sydney", "NSW", "Australia/Sydney", 10, "en-AU,en;q=0.9"),
  place(0.3, "PL", "EU", "Warsaw", "14", "Europe/Warsaw", 1, "pl-PL,pl;q=0.9"),
  place(0.25, "SE", "EU", "Stockholm", "AB", "Europe/Stockholm", 1, "sv-SE,sv;q=0.9"),
  place(0.2, "MX", "NA", "Mexico City", "CMX", "America/Mexico_City", -6, "es-MX,es;q=0.9"),
  place(0.15, "ZA", "AF", "Cape Town", "WC", "Africa/Johannesburg", 2, "en-ZA,en;q=0.9"),
  place(0.12, "KR", "AS", "Seoul", "11", "Asia/Seoul", 9, "ko-KR,ko;q=0.9"),
  place(0.1, "NG", "AF", "Lagos", "LA", "Africa/Lagos", 1, "en-NG,en;q=0.9"),
];

const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0";
const device = (weight, converts, agent) => ({ weight, converts, agent });
export const DEVICES = [
  device(26, 0.9, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"),
  device(24, 0.75, `Mozilla/5.0 (Linux; Android 10; K) ${chrome} Mobile Safari/537.36`),
  device(20, 1.35, `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36`),
  device(9, 1.3, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"),
  device(6, 1.3, `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${chrome} Safari/537.36`),
  device(5, 1.25, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"),
  device(4, 1.2, `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36 Edg/142.0.0.0`),
  device(4, 1.0, "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
  device(5, 0.6, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 380.0.0 (iPhone15,2; iOS 18_5)"),
  device(2, 1.1, "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"),
];

export const BOTS = [
  { weight: 6, agent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" },
  { weight: 3, agent: "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)" },
  { weight: 3, agent: "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)" },
  { weight: 2, agent: "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)" },
  { weight: 2, agent: "curl/8.5.0" },
  { weight: 1, agent: "python-requests/2.32.3" },
];

const referrer = (name, weight, url, source, medium) => ({ name, weight, url, source, medium });
export const REFERRERS = [
  referrer("direct", 22, "", "direct", ""),
  referrer("google", 24, "https://www.google.com/", "google", "organic"),
  referrer("mail", 14, "https://mail.google.com/", "newsletter", "email"),
  referrer("instagram", 12, "https://l.instagram.com/", "instagram", "social"),
  referrer("facebook", 8, "https://www.facebook.com/", "facebook", "paid_social"),
  referrer("youtube", 6, "https://www.youtube.com/", "youtube", "social"),
  referrer("tiktok", 5, "https://www.tiktok.com/", "tiktok", "social"),
  referrer("bing", 4, "https://www.bing.com/", "bing", "organic"),
  referrer("trail", 5, "https://trailhead.example/", "trailhead", "referral"),
  referrer("chatgpt", 3, "https://chatgpt.com/", "chatgpt.com", "referral"),
];

/** What somebody on call would want to know of. */
export const ALERTS = [
  { id: "too-many", name: "Far more clicks than usual", metric: "clicks", condition: "spike" },
  { id: "silence", name: "Nobody clicks any more", metric: "clicks", condition: "below", threshold: 1, window_minutes: 30 },
  { id: "robots", name: "Robots on the autumn sale", metric: "bot_percent", condition: "above", threshold: 40, window_minutes: 15, campaign_id: "autumn-sale" },
  { id: "budget", name: "Autumn sale: budget almost spent", metric: "budget_percent", condition: "above", threshold: 90, campaign_id: "autumn-sale" },
  { id: "lost", name: "An event is lost", metric: "lost", condition: "above", threshold: 0 },
];

/** Who is told; while the demo is made, by an address of its own in place of `url`. The last does not answer. */
export const WEBHOOKS = [
  { id: "crm", name: "CRM", url: "https://crm.example/hooks/clicktrail", events: ["conversion.recorded"] },
  { id: "on-call", name: "On call", url: "https://pager.example/clicktrail", events: ["alert.fired", "alert.resolved", "webhook.disabled"] },
  { id: "catalogue", name: "Link catalogue", url: "https://old.example/links", events: ["link.created", "link.updated", "link.deleted"] },
];
