// What can be told of a conversion, as analytics/src/template.rs has it: a test compares.
export const MACROS = [
  ["Conversion", ["click_id", "conversion_id", "txid", "status", "type", "name", "value", "currency", "payout", "payout_currency"]],
  ["Where from", ["campaign_id", "publisher_id", "link", "variant", "medium", "ad_id", "referrer", "channel"]],
  ["Passed along", ["sub1", "sub2", "sub3", "sub4", "sub5", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"]],
  ["When", ["event_time", "event_timestamp", "click_time", "click_timestamp"]],
  ["Visitor", ["country", "region", "city", "language", "device", "os", "browser"]],
] as const;

export const STATUSES = [
  ["lead", "Leads"],
  ["sale", "Sales"],
  ["rejected", "Rejections"],
  ["rebill", "Later payments of the same customer"],
] as const;
