// A link, an event and a report. Type-checked by `make test`, and run against the Worker by tests/e2e/client.test.ts.
import { type Client, data, every } from "./src/index.ts";

/** Makes a link, sends an event for its campaign, and gives what is counted of the campaign so far. */
export async function campaignOf(client: Client, token: string): Promise<number> {
  const link = await data(client.POST("/api/links", { body: { token, url: "https://example.com/sale", campaign_id: token } }));

  await client.GET("/r/{token}", { params: { path: { token: link.token } } });
  const accepted = await data(
    client.POST("/events/{kind}", {
      params: { path: { kind: "click" } },
      body: { event_id: `${token}-1`, event_time: Date.now(), page_url: "https://shop.example/", campaign_id: token },
    }),
  );
  if (accepted.status !== "accepted") throw new Error(`sent twice: ${accepted.event_id}`);
  return clicksOf(client, token);
}

export async function clicksOf(client: Client, campaign_id: string): Promise<number> {
  const { totals } = await data(client.GET("/stats/clicks", { params: { query: { campaign_id, include_bots: true } } }));
  return totals.clicks;
}

export async function tokens(client: Client, limit: number): Promise<string[]> {
  const all = [];
  for await (const link of every((cursor) => client.GET("/api/links", { params: { query: { cursor, limit } } }))) all.push(link.token);
  return all;
}
