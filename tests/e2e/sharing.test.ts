import { beforeEach, expect, test, vi } from "vitest";

const kept: Promise<unknown>[] = [];
vi.mock("cloudflare:workers", () => ({ waitUntil: (promise: Promise<unknown>) => kept.push(promise) }));

type Ask = (gates: unknown, name: string, hint: string, head: Uint8Array, frames: Uint8Array, events: number | undefined, ms: number) => Promise<any>;
let ask: Ask;
let calls: number[][];
let answer: (letters: string) => Promise<string>;
/** Answers an event with the letter of its byte. */
const gates = {
  getByName: () => ({
    admit: (bytes: Uint8Array) => {
      calls.push([...bytes]);
      return answer([...bytes.subarray(1)].map((byte) => String.fromCharCode(byte)).join(""));
    },
  }),
};
const head = Uint8Array.of(9);
const asks = (letters: string, { gate = "gate/oc/0", alone = false, ms = 2_000 } = {}) =>
  ask(gates, gate, "", head, new TextEncoder().encode(letters), alone ? undefined : letters.length, ms);

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.resetModules();
  ({ ask } = await import("../../src/record.js" as string));
  calls = [];
  answer = async (letters) => letters;
});

test("who is alone calls at once", async () => {
  const told = asks("a");
  expect(calls).toEqual([[9, 97]]);
  expect(await told).toBe("a");
});

test("those who come while a gate was just called share the next call, and each is told of its own events", async () => {
  const told = ["a", "b", "cde", "f"].map((letters) => asks(letters));
  expect(calls.length).toBe(1);
  await vi.advanceTimersByTimeAsync(6);
  expect(calls.slice(1)).toEqual([[9, 98, 99, 100, 101, 102]]);
  await vi.advanceTimersByTimeAsync(20);
  expect(await Promise.all(told)).toEqual(["a", "b", "cde", "f"]);
  await vi.advanceTimersByTimeAsync(20);
  asks("g");
  expect(calls.length).toBe(3);
});

test("gates do not share calls with each other", async () => {
  asks("a");
  asks("b", { gate: "gate/oc/1" });
  expect(calls.length).toBe(2);
});

test("a batch, and what comes back from the queue, go by themselves", async () => {
  asks("a");
  asks("b".repeat(5_000));
  asks("c", { alone: true });
  expect(calls.map((bytes) => bytes.length)).toEqual([2, 5_001, 2]);
});

test("a call does not become larger than a row of the log", async () => {
  asks("a");
  const told = Array.from({ length: 20 }, (_, n) => asks(String.fromCharCode(98 + n).repeat(4_000)));
  await vi.advanceTimersByTimeAsync(40);
  expect(calls.map((bytes) => bytes.length)).toEqual([2, 60_001, 20_001]);
  expect((await Promise.all(told)).map((letters) => [letters.length, letters[0]])).toEqual(Array.from({ length: 20 }, (_, n) => [4_000, String.fromCharCode(98 + n)]));
});

test("when a call fails, all who share it hear why", async () => {
  await asks("a");
  answer = async () => Promise.reject(Object.assign(new Error("away"), { retryable: true }));
  const failed = ["b", "c"].map((letters) => expect(asks(letters)).rejects.toMatchObject({ message: "away", retryable: true }));
  await vi.advanceTimersByTimeAsync(20);
  await Promise.all(failed);
});

test("who waited long enough is given the promise of the answer", async () => {
  await asks("a");
  const { promise, resolve } = Promise.withResolvers<string>();
  answer = () => promise;
  const told = asks("b", { ms: 50 });
  await vi.advanceTimersByTimeAsync(50);
  const late = await told;
  expect(Array.isArray(late)).toBe(true);
  resolve("b");
  await vi.advanceTimersByTimeAsync(10);
  expect(await late[0]).toBe("b");
});

test("a gate that was slow once keeps nobody waiting later", async () => {
  await asks("a");
  answer = (letters) => new Promise((resolve) => setTimeout(() => resolve(letters), 1_500));
  const slow = asks("b");
  await vi.advanceTimersByTimeAsync(1_600);
  expect(await slow).toBe("b");
  answer = async (letters) => letters;
  await asks("c");
  const began = Date.now();
  const told = asks("d").then(() => Date.now() - began);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await told).toBeLessThan(40);
});

test("a call that nobody makes any more is not joined for ever", async () => {
  await asks("a");
  asks("b"); // whose request ends before its time comes
  vi.clearAllTimers();
  vi.setSystemTime(1_000_400);
  asks("c");
  expect(calls.length).toBe(1);
  vi.setSystemTime(1_000_600);
  const told = asks("d");
  await vi.advanceTimersByTimeAsync(40);
  expect(calls.slice(1)).toEqual([[9, 100]]);
  expect(await told).toBe("d");
});
