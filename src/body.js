// Reads a body in one crossing. Null: it is larger than `most`, found out without reading more than that; whoever says how
// much is coming is not waited for. Undefined: it was not there after `ms`.
export async function read(request, most, ms) {
  if (request.body === null) return new Uint8Array();
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > most) return null;
  let late;
  const patience = new Promise((resolve) => (late = setTimeout(resolve, ms)));
  // The runtime holds a body to the length it came with; one read is a tenth of the price of a stream.
  const whole = length === null ? gathered(request.body.getReader(), most, patience) : request.arrayBuffer();
  try {
    const body = await Promise.race([whole, patience]);
    return body && new Uint8Array(body);
  } finally {
    clearTimeout(late);
  }
}

async function gathered(reader, most, patience) {
  patience.then(() => reader.cancel()).catch(() => {});
  const parts = [];
  let length = 0;
  for (let part; !(part = await reader.read()).done; ) {
    parts.push(part.value);
    if ((length += part.value.length) > most) {
      reader.cancel().catch(() => {});
      return null;
    }
  }
  return new Blob(parts).arrayBuffer();
}
