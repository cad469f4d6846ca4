// npm run rebuild: all sums anew from the archive, by the rules of today. Counting and reports go on meanwhile; the sums that are
// kept are replaced at the end, in one transaction, or not at all. Ends with 1 if they could not be.
import { parseArgs } from "node:util";

const { values: args } = parseArgs({
  options: {
    target: { type: "string", default: "http://127.0.0.1:8787" },
    token: { type: "string", default: process.env.CLICKTRAIL_TOKEN ?? "dev" }, // a key with the scope admin
    abandon: { type: "boolean" }, // gives up one that was begun
  },
});
const ask = async (method) => {
  const response = await fetch(`${args.target}/api/rebuild`, { method, headers: { authorization: `Bearer ${args.token}` } });
  const answer = response.status === 204 ? {} : await response.json();
  return { status: response.status, answer };
};

if (args.abandon) {
  await ask("DELETE");
} else {
  // A part that is down for a moment, or a step that somebody else took: where it goes on is in the database.
  for (let failures = 0; ; ) {
    const { status, answer } = await ask("POST");
    if (status === 200) {
      failures = 0;
      process.stdout.write(`\r${answer.state}: ${answer.events} of ${answer.counted} events`);
      if (answer.state === "done") break;
    } else if (status !== 503 || ++failures > 10) {
      console.error(`\n${answer.detail}`);
      process.exit(1);
    } else {
      await new Promise((resolve) => setTimeout(resolve, 1000 * failures));
    }
  }
  console.log("\nThe sums are those of the archive.");
}
