// Colours of the page's theme, and the pictures made of arrays: heat maps, bars, names along a side.

const NAMES = ["surface", "ink", "line", "write", "read", "low", "middle", "high", "wrong"];

// The theme's colours as [r, g, b]: the browser resolves light-dark() and var() only where a colour is used.
function themeOf(root) {
  const probe = root.appendChild(element("span", { hidden: true }));
  const pixel = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const theme = {};
  for (const name of NAMES) {
    probe.style.color = `var(--mv-${name})`;
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    theme[name] = Array.from(pixel.getImageData(0, 0, 1, 1).data.subarray(0, 3));
  }
  probe.remove();
  return theme;
}

const css = (colour) => `rgb(${colour.join(" ")})`;
const mix = (from, to, share) => from.map((part, i) => part + (to[i] - part) * share);

// From a place in [0, 1] along `stops` to a pixel of ImageData seen as 32-bit numbers (little-endian: A B G R).
function ramp(...stops) {
  const table = range(256).map((code) => {
    const place = (code / 255) * (stops.length - 1);
    const before = Math.min(Math.floor(place), stops.length - 2);
    const [r, g, b] = mix(stops[before], stops[before + 1], place - before).map(Math.round);
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  return (place) => table[Math.round(255 * Math.min(1, Math.max(0, place)))];
}

// Roots: small weights and small numbers are told from none, as in the packed codes.
function mapsOf(theme, limit) {
  const signed = ramp(theme.low, theme.middle, theme.high);
  const weights = { write: ramp(theme.surface, theme.write), read: ramp(theme.surface, theme.read) };
  return {
    ink: ramp(theme.surface, theme.ink),
    pale: ramp(theme.surface, mix(theme.surface, theme.ink, 0.3)),
    write: (weight) => weights.write(Math.sqrt(weight)),
    read: (weight) => weights.read(Math.sqrt(weight)),
    signed: (number, top = limit) => signed(0.5 + (Math.sign(number) * Math.sqrt(Math.abs(number) / top)) / 2),
  };
}

// A cleared context with one unit a device pixel; null for a canvas that is not shown.
function fit(canvas) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((size) => Math.round(size * density));
  if (!width || !height) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  return context;
}

const scratch = document.createElement("canvas");

function heatmap(canvas, columns, rows, colour) {
  const context = fit(canvas);
  if (!context) return null;
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) pixels[r * columns + c] = colour(c, r);
  Object.assign(scratch, { width: columns, height: rows });
  scratch.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, 0, 0, canvas.width, canvas.height);
  return context;
}

// Bars whose feet are at the left (towards = 1) or the right (−1), one for each location shown.
function sideBars(canvas, weights, shown, colour, towards) {
  const context = fit(canvas);
  if (!context) return;
  const thick = canvas.height / shown.length;
  context.fillStyle = css(colour);
  shown.forEach((location, i) => {
    const long = weights[location] * canvas.width;
    const gap = thick > 4 ? 1 : 0;
    context.fillRect(towards > 0 ? 0 : canvas.width - long, i * thick, long, thick - gap);
  });
}

// Bars that stand on the lower edge; a band behind them marks a location from one row of bars to the next.
function standingBars(canvas, weights, shown, { colour, band, marked, top }) {
  const context = fit(canvas);
  if (!context) return;
  const wide = canvas.width / shown.length;
  shown.forEach((location, i) => {
    const [left, right] = [Math.round(i * wide), Math.round((i + 1) * wide)];
    if (location === marked) {
      context.fillStyle = css(band);
      context.fillRect(left, 0, right - left, canvas.height);
    }
    const high = (weights[location] / top) * canvas.height;
    context.fillStyle = css(colour);
    context.fillRect(left, canvas.height - high, right - left - (wide > 4 ? 1 : 0), high);
  });
}

// Names at places in [0, 1] along a side.
function nameAlong(holder, side, named) {
  const make = ([place, text]) => {
    const name = element("span", { textContent: text });
    name.style[side] = `${100 * place}%`;
    return name;
  };
  holder.replaceChildren(...named.map(make));
}

// At most about `most` of `numbers`, the round ones, at the middle of the cells they name.
function thinned(numbers, most) {
  const every = [1, 2, 5, 10, 20, 50, 100].find((step) => numbers.length / step <= most) ?? numbers.length;
  return numbers.flatMap((number, i) => (number % every ? [] : [[(i + 0.5) / numbers.length, String(number)]]));
}
