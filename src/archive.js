// The bucket, and gzip by the platform: in wasm a packer and its tables would be some 30 KB.
const whole = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());

// Some 4 ms of packing: then others may have the thread, see src/turn.rs.
const TURN_BYTES = 256 << 10;

// Not by way of a Blob, which copies everything and passes it on in small pieces.
export async function gzip(parts) {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  const write = async () => {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += TURN_BYTES) {
        if (at > 0 || part !== parts[0]) await scheduler.wait(0);
        await writer.write(part.subarray(at, at + TURN_BYTES));
      }
    }
    await writer.close();
  };
  const [bytes] = await Promise.all([whole(readable), write()]);
  return bytes;
}
export const gunzip = (bytes) => whole(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));

// Not content-encoding: readers that undo it by themselves would meet a name that says .gz and no gzip.
const httpMetadata = { contentType: "application/gzip" };

// A bucket that does not answer must not hold up what is counted.
export async function put(bucket, name, bytes, withinMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  });
  try {
    await Promise.race([bucket.put(name, bytes, { httpMetadata }), late]);
  } finally {
    clearTimeout(timer);
  }
}

// An object unpacked, or null if there is none of that name.
export async function read(bucket, name) {
  const object = await bucket.get(name);
  return object && whole(object.body.pipeThrough(new DecompressionStream("gzip")));
}

// Names of objects as JSON, up to 1,000, and where to go on if there are more.
export async function list(bucket, prefix, cursor) {
  const { objects, truncated, cursor: next } = await bucket.list({ prefix, cursor });
  return JSON.stringify({ names: objects.map(({ key }) => key), next: truncated ? next : null });
}

export const remove = (bucket, names) => bucket.delete(names);
