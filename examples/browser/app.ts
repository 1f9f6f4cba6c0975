// The page: hands the ratings to the worker, and shows what it answers.

import { type Curve, draw } from './chart';
import type { Answer, Arm, Ask, Reasoned } from './worker';

const $ = <E extends Element = HTMLElement>(id: string) => document.getElementById(id) as unknown as E;
/** With commas. Not toLocaleString, whose first call holds a frame for the time that its tables take to load. */
const count = (n: number) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const ask = (question: Ask) => worker.postMessage(question);

const NAMES: Record<Arm, string> = { plain: 'Plain', product: 'Overparameterized' };
const curves: Record<Arm, Curve> = {
  plain: { name: NAMES.plain, className: 'plain', values: [] },
  product: { name: NAMES.product, className: 'product', values: [] },
};
const ratings = new Map<string, number>();
let isSample = false;
let file: File | undefined;
let epochs = 20;
let metric = 'rmse';
let range = { minimum: 0, maximum: 0 };

// 1. Ratings

/** Trains on these ratings, or once more on the last. */
function train(source?: File | 'synthetic'): void {
  epochs = $<HTMLInputElement>('epochs').valueAsNumber;
  for (const { values } of Object.values(curves)) values.length = 0;
  $('error').hidden = true;
  $<HTMLButtonElement>('download').disabled = true;
  if (source !== undefined) {
    for (const id of ['training', 'rating', 'recommendations', 'described']) $(id).hidden = true;
    ratings.clear();
  }
  $('progress').textContent = source === undefined ? 'Training …' : 'Reading …';
  const terms = $<HTMLSelectElement>('terms').value as 'defaults' | 'paper';
  const names = (['user', 'item', 'value'] as const).map((role) => [role, $<HTMLInputElement>(role).value.trim()]);
  // The bundled sample needs none.
  const columns = Object.fromEntries(isSample ? [] : names.filter(([, name]) => name !== ''));
  ask({ kind: 'train', ...(source !== undefined && { source }), columns, terms, epochs });
}

function open(chosen: File | undefined): void {
  if (chosen === undefined) return;
  isSample = false;
  file = chosen;
  train(file);
}

$('file').addEventListener('change', ({ currentTarget }) => {
  const input = currentTarget as HTMLInputElement;
  open(input.files?.[0]);
  input.value = ''; // so that the same file can be chosen again once it is mended
});
$('columns').addEventListener('change', () => open(file));
$('synthetic').addEventListener('click', () => {
  isSample = false;
  train('synthetic');
});
$('sample').addEventListener('click', async () => {
  const response = await fetch('movietweetings-8k/ratings.csv.gz');
  isSample = true;
  train(new File([await response.blob()], 'movietweetings-8k'));
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  $('drop').classList.add('over');
});
for (const name of ['dragleave', 'drop']) document.addEventListener(name, () => $('drop').classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  open(event.dataTransfer?.files[0]);
});

/** The items whose choices are on the page, or about to be. */
let shown: unknown;

async function showData({
  ratings: size,
  users,
  items,
  minimum,
  maximum,
  medianPerUser,
  scale,
  popular,
}: Answer & { kind: 'data' }): Promise<void> {
  range = { minimum, maximum };
  const values = minimum === maximum ? '' : `, from ${minimum} to ${maximum}`;
  const little =
    medianPerUser < 5 ? ` Half of the users have at most ${medianPerUser}: little to learn tastes from.` : '';
  $('described').textContent =
    `${count(size)} ratings of ${count(items)} items by ${count(users)} users${values}.${little}`;
  $('described').hidden = false;
  $('training').hidden = false;
  const films = $('films');
  films.replaceChildren();
  shown = popular;
  // One in a frame, so that none is held up.
  for (const [at, item] of popular.entries()) {
    await nextFrame();
    if (shown !== popular) return; // other ratings have come
    films.append(choice(item, at, scale));
  }
}

// 2. Training

$('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  train();
});

let isDrawn = true;
/** Draws before the next frame, however many epochs have ended meanwhile. */
function redraw(): void {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    draw($<SVGSVGElement>('chart'), Object.values(curves), epochs);
  });
}
new ResizeObserver(redraw).observe($('chart'));

function showEpoch({ arm, epoch, metric: name, value }: Answer & { kind: 'epoch' }): void {
  metric = name;
  const { values } = curves[arm];
  values[epoch - 1] = value;
  if (epoch === 1) caption();
  redraw();
}

const label = () => (metric === 'rmse' ? 'RMSE' : metric.toUpperCase());

function showTrained({ chosen, seconds, threads }: Answer & { kind: 'trained' }): void {
  const [plain, product] = [curves.plain.values.at(-1)!, curves.product.values.at(-1)!];
  const gain = (metric === 'rmse' ? plain - product : product - plain) / plain;
  const verdict =
    Math.abs(gain) < 0.005
      ? 'level'
      : `${NAMES[gain > 0 ? 'product' : 'plain'].toLowerCase()} ahead by ${(Math.abs(gain) * 100).toFixed(1)} %`;
  $('progress').textContent =
    `Trained in ${seconds.toFixed(1)} seconds ${threads ? 'on threads' : 'on one thread'}. On the tenth of the ratings that was ` +
    `held out, ${label()} is ${plain.toFixed(4)} plain and ${product.toFixed(4)} overparameterized: ${verdict}. ` +
    `The ${NAMES[chosen].toLowerCase()} model recommends below.`;
  $('numbers').replaceChildren(
    ...curves.plain.values.map((value, at) => {
      const row = document.createElement('tr');
      for (const cell of [String(at + 1), value.toFixed(4), curves.product.values[at]!.toFixed(4)])
        row.insertCell().append(cell);
      return row;
    }),
  );
  $<HTMLButtonElement>('download').disabled = false;
  $('rating').hidden = false;
  $('recommendations').hidden = false;
  showRated();
}

function caption(): void {
  const better = metric === 'rmse' ? 'lower is better' : 'higher is better';
  const keys = Object.values(curves).map(({ name, className }) =>
    made('span', { className: `key ${className}` }, name),
  );
  $('caption').replaceChildren(...keys, ` ${label()} on held-out ratings after each epoch; ${better}`);
}

$('download').addEventListener('click', () => ask({ kind: 'download' }));

function save(bytes: Uint8Array<ArrayBuffer>): void {
  const href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = made('a', { href, download: 'model.safetensors' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

// 3. Rate ten

/** An item with a button for each value. */
function choice(
  { itemId, count: n, mean }: { itemId: string; count: number; mean: number },
  at: number,
  scale: number[],
): HTMLElement {
  const labels = scale.length === 1 ? ['I like it'] : scale.map((value) => String(Number(value.toFixed(2))));
  const buttons = scale.map((value, index) => {
    const input = made('input', { type: 'radio', name: `item-${at}` });
    input.addEventListener('change', () => rate(itemId, value));
    return made('label', {}, input, made('span', {}, labels[index]!));
  });
  const clear = made('button', { type: 'button', className: 'clear', ariaLabel: 'Clear', title: 'Clear' }, '×');
  clear.addEventListener('click', () => {
    for (const input of Array.from(set.querySelectorAll('input'))) input.checked = false;
    rate(itemId, undefined);
  });
  const about = scale.length === 1 ? `${count(n)} users` : `${count(n)} ratings, mean ${mean.toFixed(1)}`;
  const title = made('legend', {}, named(itemId), made('span', { className: 'hint' }, ` ${about}`));
  const set = made(
    'fieldset',
    {},
    title,
    made('div', { className: labels.every((one) => one.length <= 3) ? 'scale short' : 'scale' }, ...buttons, clear),
  );
  return set;
}

function rate(itemId: string, value: number | undefined): void {
  if (value === undefined) ratings.delete(itemId);
  else ratings.set(itemId, value);
  showRated();
}

function showRated(): void {
  if (ratings.size === 0) {
    $('list').replaceChildren();
    $('rated').textContent = 'They appear once you have rated something.';
  }
  ask({ kind: 'rate', ratings: [...ratings] });
}

// 4. Recommendations

function showList({ list, scores }: Answer & { kind: 'recommended' }): void {
  if (ratings.size === 0) return;
  const left = 10 - ratings.size;
  $('rated').textContent =
    `${list.length} recommendations from ${ratings.size} rating${ratings.size === 1 ? '' : 's'}.` +
    (left > 0 ? ` ${left} more make them better.` : '');
  $('list').replaceChildren(...list.map((one) => recommendation(one, scores === 'rating')));
}

function recommendation({ itemId, score, base, reasons }: Reasoned, isRating: boolean): HTMLElement {
  const digits = isRating ? 2 : 3;
  const shown = isRating ? Math.min(Math.max(score, range.minimum), range.maximum) : score;
  const why = reasons.map(({ itemId: other, contribution }) => {
    const sign = contribution < 0 ? '−' : '+';
    const given = range.minimum === range.maximum ? '' : `your ${Number(ratings.get(other)?.toFixed(2))} for `;
    return made('li', {}, made('b', {}, `${sign}${Math.abs(contribution).toFixed(digits)}`), ` ${given}`, named(other));
  });
  const start = made('li', {}, made('b', {}, base.toFixed(digits)), ' for everybody');
  return made(
    'li',
    {},
    made('div', { className: 'title' }, named(itemId), made('span', { className: 'score' }, shown.toFixed(digits))),
    made('ul', { className: 'why' }, start, ...why),
  );
}

/** An item: the id of a film as a link to its page. */
function named(itemId: string): HTMLElement | string {
  if (!isSample) return itemId;
  const film = `tt${itemId.padStart(7, '0')}`;
  return made('a', { href: `https://www.imdb.com/title/${film}/`, target: '_blank', rel: 'noreferrer' }, film);
}

/** An element with these properties and children. */
function made<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

worker.addEventListener('message', ({ data: answer }: MessageEvent<Answer>) => {
  if (answer.kind === 'data') showData(answer);
  else if (answer.kind === 'epoch') showEpoch(answer);
  else if (answer.kind === 'trained') showTrained(answer);
  else if (answer.kind === 'recommended') showList(answer);
  else if (answer.kind === 'model') save(answer.bytes);
  else {
    if (/\bcolumns\b/.test(answer.message)) $<HTMLDetailsElement>('columns').open = true;
    $('error').textContent = answer.message;
    $('error').hidden = false;
    $('progress').textContent = '';
  }
});
