// Everything that computes: reads the ratings, trains both models, and answers one visitor. The page only draws.

import { Interactions, MF, OverparamMF, parseInteractions, sgd, splitRandom, syntheticInteractions } from 'opmf';

/** What the page asks for. */
export type Ask =
  | {
      kind: 'train';
      /** Absent: the ratings that were read last. */
      source?: File | 'synthetic';
      /** Names of columns that are not detected. */
      columns: Columns;
      terms: 'defaults' | 'paper';
      epochs: number;
    }
  | { kind: 'rate'; ratings: [itemId: string, value: number][] }
  | { kind: 'download' };

/** What it is told. */
export type Answer =
  | {
      kind: 'data';
      ratings: number;
      users: number;
      items: number;
      medianPerUser: number;
      minimum: number;
      maximum: number;
      /** The values that a visitor can give. */
      scale: number[];
      /** The items with the most ratings, which a visitor is most likely to know. */
      popular: { itemId: string; count: number; mean: number }[];
    }
  | { kind: 'epoch'; arm: Arm; epoch: number; metric: string; value: number }
  | { kind: 'trained'; chosen: Arm; seconds: number; threads: boolean }
  | { kind: 'recommended'; list: Reasoned[]; scores: string }
  | { kind: 'model'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'failed'; message: string };

type Columns = { user?: string; item?: string; value?: string };

export type Arm = 'plain' | 'product';

/** A recommendation and why: the score is `base` (of everybody) and what each of the visitor's ratings adds to it. */
export interface Reasoned {
  itemId: string;
  score: number;
  base: number;
  reasons: { itemId: string; contribution: number }[];
}

const POPULAR = 24;
const threads = crossOriginIsolated ? 'auto' : 1;

/** One learning rate, start and penalty for both, as in the paper; else each has the library's defaults. */
const PAPER = {
  rank: 15,
  optimizer: sgd({ learningRate: 0.005 }),
  initScale: 1,
  regularization: 0.02,
  standardize: false,
} as const;
const PRODUCT = { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 } as const;

let data: Interactions | undefined;
let running: AbortController | undefined;
let trained: { load: typeof MF.load | typeof OverparamMF.load; bytes: Uint8Array<ArrayBuffer> } | undefined;
let asked = 0;

const tell = (answer: Answer) => self.postMessage(answer);

self.addEventListener('message', async ({ data: ask }: MessageEvent<Ask>) => {
  try {
    if (ask.kind === 'train') await train(ask);
    else if (ask.kind === 'rate') await recommend(ask.ratings);
    else if (trained !== undefined) tell({ kind: 'model', bytes: trained.bytes });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});

async function train({ source, columns, terms, epochs }: Ask & { kind: 'train' }): Promise<void> {
  running?.abort();
  const own = new AbortController();
  running = own;
  const { signal } = own;
  const began = performance.now();
  try {
    if (source !== undefined) {
      data = undefined;
      const read = await ratingsOf(source, columns);
      if (signal.aborted) return;
      data = read;
      tell(described(read));
    }
    if (data === undefined) return;
    const { train, test: validation } = splitRandom(data, { testFraction: 0.1 });
    const options = { epochs, threads, ...(terms === 'paper' && PAPER) } as const;
    const models = {
      plain: new MF(options),
      product: new OverparamMF(terms === 'paper' ? { ...options, overparam: PRODUCT } : options),
    };
    const last = { plain: Infinity, product: Infinity };
    const fit = (arm: Arm) =>
      models[arm].fit(train, {
        validation,
        signal,
        onEpoch: ({ epoch, metrics }) => {
          const [metric, value] = Object.entries(metrics)[0] as [string, number];
          last[arm] = metric === 'rmse' ? value : -value;
          tell({ kind: 'epoch', arm, epoch, metric, value });
        },
      });
    await Promise.all([fit('plain'), fit('product')]);
    const chosen = last.plain < last.product ? 'plain' : 'product';
    trained = { load: chosen === 'plain' ? MF.load : OverparamMF.load, bytes: models[chosen].save() };
    tell({ kind: 'trained', chosen, seconds: (performance.now() - began) / 1000, threads: threads === 'auto' });
  } catch (error) {
    // Another training took its place, which is no failure.
    if (!signal.aborted) throw error;
  } finally {
    own.abort();
  }
}

async function ratingsOf(source: File | 'synthetic', columns: Columns): Promise<Interactions> {
  if (source === 'synthetic') return syntheticInteractions();
  return parseInteractions(await bytesOf(source), { file: source.name, columns });
}

/** The bytes of a file; a gzipped one is unpacked. */
async function bytesOf(file: Blob): Promise<Uint8Array> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const isGzip = first === 0x1f && second === 0x8b;
  const stream = isGzip ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function described(ratings: Interactions): Answer {
  const { userIndex, itemIndex, values, items } = ratings;
  const counts = new Uint32Array(items.size);
  const sums = new Float64Array(items.size);
  for (let at = 0; at < userIndex.length; at++) {
    counts[itemIndex[at]!]!++;
    sums[itemIndex[at]!]! += values[at]!;
  }
  const order = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, POPULAR);
  const popular = order.map((item) => {
    const count = counts[item]!;
    return { itemId: String(items.idOf(item)), count, mean: sums[item]! / count };
  });
  const stats = ratings.stats();
  return { kind: 'data', ...stats, scale: scaleOf(values, stats), popular };
}

/** The values that occur, or ten between the least and the greatest. */
function scaleOf(values: Float32Array, { minimum, maximum }: { minimum: number; maximum: number }): number[] {
  const found = new Set(values);
  if (found.size <= 10) return [...found].sort((a, b) => a - b);
  return Array.from({ length: 10 }, (_, at) => minimum + ((maximum - minimum) * at) / 9);
}

/** Adds the visitor to the trained model, as a user with these ratings, and recommends. */
async function recommend(ratings: [itemId: string, value: number][]): Promise<void> {
  const turn = ++asked;
  if (trained === undefined || ratings.length === 0) return;
  let visitor = 'you';
  while (data?.users.has(visitor)) visitor += '*';
  // From the bytes each time, so that a rating that was changed or taken back leaves no trace.
  const model = trained.load(trained.bytes);
  await model.partialFit(Interactions.from(ratings.map(([itemId, value]) => [visitor, itemId, value])));
  if (turn !== asked) return;
  const list = model.recommend(visitor, { n: 10 }).map(({ itemId, score }): Reasoned => {
    const reasons = model.explain(visitor, itemId, { n: ratings.length });
    const base = score - reasons.reduce((sum, { contribution }) => sum + contribution, 0);
    // The three that do most, from what raises the score to what lowers it.
    const most = [...reasons].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).slice(0, 3);
    const named = reasons.filter((one) => most.includes(one)).map((one) => ({ ...one, itemId: String(one.itemId) }));
    return { itemId: String(itemId), score, base, reasons: named };
  });
  tell({ kind: 'recommended', list, scores: model.scores });
}
