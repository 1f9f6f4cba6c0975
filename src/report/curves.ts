// Renders a line chart as one SVG string, for a page or a file. Colours are of medium lightness, readable on white and
// on black; text and axes take the surrounding text colour. No scripts, no dependencies.

/** A named line; points that are not finite are omitted. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The contents of a chart. `title` is also its accessible name. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

/** Each has a contrast of at least 3 : 1 with white and with #111 (tested); dashes distinguish the lines without colour. */
export const COLOURS = ['#3d82c9', '#d4602a', '#2b9267', '#a961c4', '#977d1c', '#d1477a', '#4f8c99', '#808080'];
const DASHES = ['', '7 3', '2 3', '9 3 2 3'];

const WIDTH = 640;
const LEGEND_ROW = 18;
const BOX = { left: 64, right: 16, top: 34, height: 260, bottom: 46 };

/** The chart as an `<svg>` element. Coordinates are rounded to a tenth of a pixel. */
export function renderCurves({ title, xLabel, yLabel, series }: Chart): string {
  const drawn = series.map(({ name, points }) => ({
    name,
    points: points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  const xs = all.length === 0 ? [0, 1] : all.map(([x]) => x);
  const ys = all.length === 0 ? [0, 1] : all.map(([, y]) => y);
  const whole = xs.every(Number.isInteger);
  const xTicks = niceTicks(minimum(xs), maximum(xs), 8, whole ? 1 : 0);
  const yTicks = niceTicks(minimum(ys), maximum(ys), 5);
  const right = WIDTH - BOX.right;
  const base = BOX.top + BOX.height;
  const toX = linear(xTicks, BOX.left, right);
  const toY = linear(yTicks, base, BOX.top);
  const height = base + BOX.bottom + LEGEND_ROW * Math.ceil(drawn.length / 3);

  const grid = yTicks.values.map((value) => {
    const y = toY(value);
    return `<line class="grid" x1="${BOX.left}" x2="${right}" y1="${y}" y2="${y}"/>${text(BOX.left - 8, y + 4, value.toFixed(yTicks.decimals), 'end')}`;
  });
  const marks = xTicks.values.map((value) => {
    const x = toX(value);
    return `<line x1="${x}" x2="${x}" y1="${base}" y2="${base + 4}"/>${text(x, base + 17, value.toFixed(xTicks.decimals), 'middle')}`;
  });
  const lines = drawn.map(({ name, points }, i) => {
    const path = points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${toX(x)} ${toY(y)}`).join('');
    // A single point has no line, so every line ends with a dot.
    const end = points.at(-1);
    const dot =
      end === undefined ? '' : `<circle cx="${toX(end[0])}" cy="${toY(end[1])}" r="2.5" fill="${colour(i)}"/>`;
    return `<g><title>${escapeMarkup(name)}</title><path d="${path}" ${stroke(i)}/>${dot}</g>`;
  });
  const legend = drawn.map(({ name, points }, i) => {
    const x = BOX.left + (i % 3) * ((right - BOX.left) / 3);
    const y = base + BOX.bottom + LEGEND_ROW * Math.floor(i / 3);
    return `<path d="M${x} ${y}h24" ${stroke(i)}/>${text(x + 30, y + 4, points.length === 0 ? `${name} (no values)` : name, 'start')}`;
  });
  const last = drawn.map(({ name, points }) => `${name} ${points.at(-1)?.[1].toFixed(4) ?? 'none'}`).join(', ');

  return [
    `<svg class="opmf-curves" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeMarkup(title)}">`,
    `<title>${escapeMarkup(title)}</title><desc>Last values: ${escapeMarkup(last)}.</desc>`,
    '<style>.opmf-curves{color:#222;font:12px system-ui,sans-serif;max-width:100%;height:auto}.opmf-curves text{fill:currentColor}' +
      '.opmf-curves line{stroke:currentColor}.opmf-curves .grid{opacity:.18}@media (prefers-color-scheme:dark){.opmf-curves{color:#ddd}}</style>',
    text(WIDTH / 2, 18, title, 'middle', ' font-weight="600"'),
    ...grid,
    `<line x1="${BOX.left}" x2="${right}" y1="${base}" y2="${base}"/>`,
    ...marks,
    text((BOX.left + right) / 2, base + 34, xLabel, 'middle'),
    text(14, BOX.top + BOX.height / 2, yLabel, 'middle', ` transform="rotate(-90 14 ${BOX.top + BOX.height / 2})"`),
    ...lines,
    ...legend,
    '</svg>',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attributes}>${escapeMarkup(content)}</text>`;
}

function stroke(i: number): string {
  const dash = DASHES[i % DASHES.length]!;
  return `fill="none" stroke="${colour(i)}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

/** The linear map of an axis from values to pixels. */
function linear({ values }: Ticks, from: number, to: number): (value: number) => number {
  const low = values[0]!;
  const high = values.at(-1)!;
  return (value) => round(from + ((value - low) / (high - low)) * (to - from));
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

// Not Math.min(...values): a spread of some hundred thousand arguments overflows the stack.
function minimum(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}

/** The ticks of an axis, and how many decimals they need. */
export interface Ticks {
  readonly values: readonly number[];
  readonly decimals: number;
}

/** About `wanted` round values that span [low, high]; the first is at or below `low`, the last at or above `high`. */
export function niceTicks(low: number, high: number, wanted: number, leastStep = 0): Ticks {
  // A range too small to see on a chart is widened.
  const magnitude = Math.max(Math.abs(low), Math.abs(high), leastStep, 1e-3);
  if (high - low < magnitude * 1e-9) {
    low -= magnitude * 0.05;
    high += magnitude * 0.05;
  }
  const rough = Math.max((high - low) / wanted, leastStep);
  const power = Math.floor(Math.log10(rough));
  const mantissa = rough / 10 ** power;
  const factor = mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10;
  const first = Math.floor(low / (factor * 10 ** power));
  const last = Math.ceil(high / (factor * 10 ** power));
  // Dividing by 10^-power instead of multiplying by .1, .01 ... keeps 0.3 from becoming 0.30000000000000004.
  const at = (i: number) => (power < 0 ? (i * factor) / 10 ** -power : i * factor * 10 ** power);
  const values = Array.from({ length: last - first + 1 }, (_, i) => at(first + i));
  return { values, decimals: Math.max(0, factor === 10 ? -power - 1 : -power) };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes the five characters that are special in markup, and drops the control characters that XML forbids. */
export function escapeMarkup(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
