// gzip by the platform: in wasm an unpacker and its tables are 29 KB. Its stream does not wait for a slow reader, it
// unpacks whatever it is given; so it gets the body in pieces, each once all that came of the last one has been read.
// A byte gives 1,032 at most: what a bomb costs beyond the bound is the 8 MiB of one piece.
const pieceBytes = 8 << 10;
const readBytes = 64 << 10;

// The unpacked body, or null if it goes on beyond `most` bytes. Throws if it is not gzip, and nothing but that.
export async function unzip(body, most) {
  const { readable, writable } = new DecompressionStream("gzip");
  const [reader, writer] = [readable.getReader({ mode: "byob" }), writable.getWriter()];
  const next = () => reader.read(new Uint8Array(readBytes));
  const parts = [];
  let length = 0;
  let read = next();
  const take = ({ value }) => {
    parts.push(value);
    length += value.length;
    read = next();
    return value.length;
  };
  try {
    for (let at = 0; at < body.length && length <= most; at += pieceBytes) {
      await writer.write(body.subarray(at, at + pieceBytes));
      // Less than was asked for is all there was. Nothing at all may come of a piece: that is not waited for.
      let part;
      do part = await Promise.race([read, new Promise((resolve) => setTimeout(resolve, 1))]);
      while (part && take(part) === readBytes && length <= most);
    }
    if (length <= most) await writer.close();
    for (let part; length <= most && !(part = await read).done; ) take(part);
  } finally {
    read.catch(() => {});
    if (length > most) writer.abort().catch(() => {});
  }
  if (length > most) return null;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
