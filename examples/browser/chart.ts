// Two curves by epoch, as SVG. Nothing here knows what they are of.

/** A curve: its values by epoch, from 1. */
export interface Curve {
  name: string;
  className: string;
  values: number[];
}

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = { left: 58, right: 12, top: 12, bottom: 34 };

/** Draws the curves into `svg` in place of all but its title; the size is that of the element. */
export function draw(svg: SVGSVGElement, curves: readonly Curve[], epochs: number): void {
  const { clientWidth: width, clientHeight: height } = svg;
  const all = curves.flatMap(({ values }) => values);
  const parts: SVGElement[] = [];
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const [low, high] = all.length > 0 ? rangeOf(all) : [0, 1];
  const x = (epoch: number) =>
    epochs === 1 ? (left + right) / 2 : left + ((right - left) * (epoch - 1)) / (epochs - 1);
  const y = (value: number) => bottom - ((bottom - top) * (value - low)) / (high - low);

  const step = stepOf((high - low) / 4);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (all.length > 0) {
    for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) {
      parts.push(line('grid', left, y(value), right, y(value)));
      parts.push(text(value.toFixed(digits), left - 8, y(value) + 4, 'end'));
    }
  }
  const every = Math.max(1, Math.round(stepOf(epochs / (width < 500 ? 5 : 10))));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    if (epoch !== 1 && (epoch % every !== 0 || epoch < 1.5 * every)) continue;
    parts.push(text(String(epoch), x(epoch), bottom + 18, 'middle'));
  }
  parts.push(line('axis', left, bottom, right, bottom));
  for (const { className, values } of curves) {
    const points = values.map((value, at) => [x(at + 1), y(value)] as const);
    parts.push(
      element('polyline', { class: `curve ${className}`, points: points.map((point) => point.join()).join(' ') }),
    );
    const end = points.at(-1);
    if (end !== undefined) parts.push(element('circle', { class: `end ${className}`, cx: end[0], cy: end[1], r: 4 }));
  }
  svg.replaceChildren(svg.querySelector('title')!, ...parts);
}

/** What the axis spans: the values, and around them at least a fiftieth of their size, so that level curves look level. */
function rangeOf(values: readonly number[]): [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const range = high - low;
  const pad = Math.max(range / 20, (Math.abs(high) / 50 - range) / 2) || 1;
  return [low - pad, high + pad];
}

/** The next of 1, 2, 5, 10, 20, ... */
function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((one) => one * power).find((step) => step >= least * (1 - 1e-9))!;
}

const line = (name: string, x1: number, y1: number, x2: number, y2: number) =>
  element('line', { class: name, x1, y1, x2, y2 });

function text(content: string, x: number, y: number, anchor: string): SVGElement {
  const made = element('text', { x, y, 'text-anchor': anchor });
  made.textContent = content;
  return made;
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
