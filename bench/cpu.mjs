// CPU time from the kernel's books. Latency on a shared machine is noise; this is stable to a few percent.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Seconds that a process has used so far, user and system, all its threads. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The workerd that this process started. */
export function ownWorkerd() {
  const comm = (pid) => readFileSync(`/proc/${pid}/comm`, "utf8");
  const children = readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean),
  );
  return Number(children.find((pid) => comm(pid).startsWith("workerd")));
}
