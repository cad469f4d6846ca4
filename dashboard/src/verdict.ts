// What an A/B test says, in words. The interval is Wilson's (1927; method 3 of Newcombe 1998), which holds for few
// conversions too. The best differs from the next if their rates do at 95 % by a two-sided z-test of two proportions, whose p
// is multiplied by as many comparisons as there are (Bonferroni).
import { percent } from "./format.ts";

export interface Arm {
  name: string;
  clicks: number;
  conversions: number;
  rate: number;
  low: number;
  high: number;
}

const Z = 1.96;

/** Of people who clicked, how many converted; one who converts twice does not make a rate above one. */
function arm({ name, clicks, conversions }: { name: string; clicks: number; conversions: number }): Arm {
  const n = clicks;
  const rate = n === 0 ? 0 : Math.min(1, conversions / n);
  if (n === 0) return { name, clicks, conversions, rate, low: 0, high: 1 };
  const middle = rate + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((rate * (1 - rate)) / n + (Z * Z) / (4 * n * n));
  const whole = 1 + (Z * Z) / n;
  return { name, clicks, conversions, rate, low: Math.max(0, (middle - spread) / whole), high: Math.min(1, (middle + spread) / whole) };
}

/** The normal distribution's upper tail, twice; Abramowitz and Stegun 26.2.17, to seven digits. */
function twoSided(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 2 * tail * (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
}

export function verdict(groups: { name: string; clicks: number; conversions: number }[]): { arms: Arm[]; sentence: string } {
  const arms = groups.map(arm);
  const [best, second] = [...arms].sort((a, b) => b.rate - a.rate);
  if (!best || !second) return { arms, sentence: "" };
  if (best.conversions === 0) return { arms, sentence: "No conversions yet: there is nothing to compare." };
  if (arms.some((one) => one.clicks === 0)) return { arms, sentence: "Not every variant has been seen yet." };
  const pooled = Math.min(1, (best.conversions + second.conversions) / (best.clicks + second.clicks));
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / best.clicks + 1 / second.clicks));
  const p = error === 0 ? 1 : Math.min(1, twoSided((best.rate - second.rate) / error) * (arms.length - 1));
  const lift = second.rate === 0 ? undefined : best.rate / second.rate - 1;
  const ahead = `“${best.name}” converts ${lift === undefined ? "and the others do not" : `${percent(lift)} better than “${second.name}”`}`;
  if (p < 0.05) return { arms, sentence: `${ahead}. That is unlikely to be chance (p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}).` };
  return { arms, sentence: `${ahead} so far, but that may be chance (p = ${p.toFixed(2)}). Let it run on.` };
}
