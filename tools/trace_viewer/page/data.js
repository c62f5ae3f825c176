// The trace as it was packed, unpacked: columns of numbers, one entry an event, and no object for any of them.
// The layout is described in page_writer.hpp.

const BASE64 = new Uint8Array(128);
for (let i = 0; i < 64; ++i)
  BASE64["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".charCodeAt(i)] = i;

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3);
  for (let from = 0, to = 0; from < text.length; from += 4) {
    const group =
      (BASE64[text.charCodeAt(from)] << 18) |
      (BASE64[text.charCodeAt(from + 1)] << 12) |
      (BASE64[text.charCodeAt(from + 2) & 127] << 6) |
      BASE64[text.charCodeAt(from + 3) & 127];
    bytes[to++] = group >> 16;
    bytes[to++] = group >> 8;
    bytes[to++] = group;
  }
  return bytes.subarray(0, bytes.length - padding);
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class NumberReader {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  // Fills `to` with `step(raw)` for each number of a column. Below 2^31 only integers are touched.
  column(to, step) {
    const bytes = this.bytes;
    let at = this.at;
    for (let i = 0; i < to.length; ++i) {
      let byte = bytes[at++];
      let number = byte & 127;
      if (byte > 127) {
        let shift = 7;
        do {
          byte = bytes[at++];
          if (shift < 28) number |= (byte & 127) << shift;
          else number += (byte & 127) * 2 ** shift;
          shift += 7;
        } while (byte > 127);
      }
      to[i] = step(number, i);
    }
    this.at = at;
    return to;
  }

  plain(to) {
    return this.column(to, number => number);
  }
  signed(to) {
    return this.column(to, unzigzag);
  }
  sums(to) {
    let sum = 0;
    return this.column(to, number => (sum += number));
  }
  signedSums(to, offset = 0) {
    let sum = offset;
    return this.column(to, number => (sum += unzigzag(number)));
  }
}

function unzigzag(number) {
  if (number < 0x80000000) return number & 1 ? -(number >>> 1) - 1 : number >>> 1;
  return number % 2 ? -(number - 1) / 2 - 1 : number / 2;
}

const NO_CAUSE = -1;
const LOST_CAUSE = -2;

// The columns: `time` is nanoseconds since the first event, `cause` the place of the causing event.
async function readTrace(base64) {
  const bytes = await inflate(fromBase64(base64));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  header.texts = header.texts.map(printable);
  header.program = printable(header.program);
  for (const problem of header.problems) problem.what = printable(problem.what);

  const reader = new NumberReader(bytes, 4 + length);
  const n = header.events;
  const trace = {
    header,
    count: n,
    texts: header.texts,
    sequence: reader.sums(new Float64Array(n)),
    time: reader.signedSums(new Float64Array(n)),
    subject: reader.signedSums(new Uint32Array(n)),
    cause: reader.column(new Int32Array(n), (back, i) =>
      back > 1 ? i - (back - 1) : back === 1 ? LOST_CAUSE : NO_CAUSE,
    ),
    value: reader.signed(new Float64Array(n)),
    text: reader.plain(new Uint32Array(n)),
    kind: reader.plain(new Uint16Array(n)),
    thread: reader.plain(new Uint16Array(n)),
    ids: reader.sums(new Float64Array(header.nodes)),
  };
  // When something ended is looked up by time; threads may disagree by a little about it, so it is made to rise.
  trace.clock = new Float64Array(n);
  for (let i = 0, latest = 0; i < n; ++i) trace.clock[i] = latest = Math.max(latest, trace.time[i]);
  trace.end = n ? trace.clock[n - 1] : 0;
  return trace;
}

// Numbers of kinds by name, e.g. K.task_ended, and names by number.
const K = {};
const KIND_NAMES = [];

function nameKinds(header) {
  for (const [number, name] of Object.entries(header.kinds)) {
    K[name] = Number(number);
    KIND_NAMES[number] = name;
  }
}

// How many entries of a rising column are at most `wanted`.
function upperBound(column, wanted, low = 0, high = column.length) {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The same where the answer is thought to lie soon after `low`.
function upperBoundNear(column, wanted, low) {
  let step = 1;
  while (low + step < column.length && column[low + step - 1] <= wanted) {
    low += step;
    step *= 2;
  }
  return upperBound(column, wanted, low, Math.min(column.length, low + step));
}

// Entries 0 … keys.length - 1 in the order of their keys (0 … size - 1), by counting: `items` from `start[key]` to
// `start[key + 1]`. A key that is negative is left out.
function groupBy(keys, size) {
  const start = new Uint32Array(size + 1);
  for (let i = 0; i < keys.length; ++i) if (keys[i] >= 0) ++start[keys[i] + 1];
  for (let key = 0; key < size; ++key) start[key + 1] += start[key];
  const next = start.slice(0, size);
  const items = new Uint32Array(start[size]);
  for (let i = 0; i < keys.length; ++i) if (keys[i] >= 0) items[next[keys[i]]++] = i;
  return { start, items };
}
