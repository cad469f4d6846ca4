// A bar on a terminal; elsewhere a line now and then.
const WIDTH = 30;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

export function progressBar(what, of, stream = process.stderr) {
  const began = performance.now();
  let shown = stream.isTTY ? -Infinity : began;
  let last = 0;
  const text = () => {
    const seconds = (performance.now() - began) / 1_000;
    const filled = Math.round(WIDTH * Math.min(1, last / Math.max(1, of)));
    const bar = stream.isTTY ? `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ` : "";
    return `${what} ${bar}${last} of ${of}, ${Math.round(last / Math.max(0.001, seconds))}/s, ${seconds.toFixed(0)} s`;
  };
  return {
    to(done) {
      last = done;
      if (performance.now() - shown < (stream.isTTY ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
      shown = performance.now();
      stream.write(stream.isTTY ? `\r\x1b[K${text()}` : `${text()}\n`);
    },
    end() {
      stream.write(stream.isTTY ? `\r\x1b[K${text()}\n` : `${text()}\n`);
    },
  };
}
