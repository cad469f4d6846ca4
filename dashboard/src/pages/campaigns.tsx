import type { Page, PageProps } from "../pages.ts";
import { Catalog, type Kind } from "../ui/catalog.tsx";

export const page: Page = { title: "Campaigns", nav: { group: "Make", order: 2, icon: "campaigns" }, scope: "links:read" };

const kind: Kind = {
  path: "campaigns",
  one: "Campaign",
  many: "Campaigns",
  dimension: "campaign_id",
  model: "cost_model",
  amount: "cost_micros",
  models: [["none", "nothing"], ["cpc", "for each click"], ["cpm", "for a thousand impressions"], ["cpa", "for each conversion"]],
  statuses: [["active", "Active"], ["paused", "Paused"], ["ended", "Ended"]],
};

export default function Campaigns(props: PageProps) {
  return <Catalog kind={kind} {...props} />;
}
