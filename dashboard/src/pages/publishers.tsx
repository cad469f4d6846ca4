import type { Page, PageProps } from "../pages.ts";
import { Catalog, type Kind } from "../ui/catalog.tsx";

export const page: Page = { title: "Publishers", nav: { group: "Make", order: 3, icon: "publishers" }, scope: "links:read" };

const kind: Kind = {
  path: "publishers",
  one: "Publisher",
  many: "Publishers",
  dimension: "publisher_id",
  model: "payout_model",
  amount: "payout_micros",
  models: [["none", "nothing"], ["cpc", "for each click"], ["cpm", "for a thousand impressions"], ["cpa", "for each conversion"], ["revshare", "a part of the revenue"]],
  statuses: [["active", "Active"], ["paused", "Paused"]],
};

export default function Publishers(props: PageProps) {
  return <Catalog kind={kind} {...props} />;
}
