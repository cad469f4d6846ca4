// What the target has counted.

/** How many groups one answer holds at most. */
export const GROUPS_MAX = 1_000;

/** Every event has exactly one value of each, or none: the sums of the groups are the totals. */
const DIMENSIONS = ["verdict", "device", "browser", "os", "referrer", "channel", "country"];

export function statsOf(target, token) {
  async function get(path, query = {}) {
    const url = new URL(path, target);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw Object.assign(new Error(`${url}: ${response.status} ${await response.text()}`), { status: response.status });
    return await response.json();
  }
  return {
    clicks: (query) => get("/stats/clicks", query),
    integrity: () => get("/stats/integrity"),
  };
}

/** Waits until the gates' logs hold nothing that the sums lack, and gives what they said last. */
export async function settled(stats, waitMs, progress) {
  const end = performance.now() + waitMs;
  let integrity;
  do {
    integrity = await stats.integrity();
    progress(integrity.applied);
    if (integrity.in_flight === 0 && integrity.duplicates === integrity.duplicates_applied) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  } while (performance.now() < end);
  return integrity;
}

/** The campaign's reports: everything by user agent, people's alone, by hour, and by each dimension. */
export async function counted(stats, campaign, { from, to }) {
  const query = { campaign_id: campaign, from, to, interval: "day", include_bots: true, limit: GROUPS_MAX };
  const byDimension = new Map();
  for (const dimension of DIMENSIONS) byDimension.set(dimension, await stats.clicks({ ...query, group_by: dimension }));
  return {
    byAgent: await stats.clicks({ ...query, group_by: "sub1" }),
    people: await stats.clicks({ ...query, group_by: "sub1", include_bots: false }),
    byHour: await stats.clicks({ ...query, interval: "hour" }),
    byDimension,
  };
}
