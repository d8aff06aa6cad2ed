// Arrays as packing.py packed them, unpacked to {shape, values}, and numbers in words.

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The twin of packing.unpack.
async function unpack({ shape, limit, signed, data }) {
  const bytes = await inflate(data);
  if (limit === undefined) return { shape, values: new Float32Array(bytes.buffer) };
  const stride = bytes.length / shape[0];
  for (let i = stride; i < bytes.length; i++) bytes[i] += bytes[i - stride];
  const meaning = Float32Array.from({ length: 256 }, (_, code) => {
    const root = signed ? (code - 127) / 127 : code / 255;
    return limit * root * Math.abs(root);
  });
  return { shape, values: Float32Array.from(bytes, (code) => meaning[code]) };
}

async function unpackAll(packed) {
  const pairs = Object.entries(packed).map(async ([name, array]) => [name, await unpack(array)]);
  return Object.fromEntries(await Promise.all(pairs));
}

// The numbers along the last axis, at these places of the axes before it.
function row(array, ...places) {
  const width = array.shape.at(-1);
  const place = places.reduce((sum, index, axis) => sum * array.shape[axis] + index, 0);
  return array.values.subarray(place * width, (place + 1) * width);
}

// Where all `heads` together are at a time: the largest weight of any.
function together(weighting, time, heads) {
  if (heads.length === 1) return row(weighting, time, heads[0]);
  const rows = heads.map((head) => row(weighting, time, head));
  return Float32Array.from(rows[0], (_, location) => Math.max(...rows.map((weights) => weights[location])));
}

const range = (count, first = 0) => Array.from({ length: count }, (_, i) => first + i);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

const minus = (text) => text.replace("-", "−");
const fixed = (number, digits = 2) => minus(number.toFixed(digits));
const whole = (number) => (Number.isInteger(number) ? minus(String(number)) : fixed(number));
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// Channel by channel, after the name of each group of channels.
function inWords(groups, numbers, form) {
  let first = 0;
  return groups
    .map(([name, count]) => `${name} ${Array.from(numbers.subarray(first, (first += count)), form).join(" ")}`)
    .join(" · ");
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
