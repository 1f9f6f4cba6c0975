// Top 10 of many items, one user a query, through the public call: scores, what the user has seen left out, selection.

import { Interactions, MF, Vocabulary } from 'opmf';
import type { Bench } from './bench';
import { type Spread, spread } from './interleave';
import { digits, SPREAD_TITLE, spreadText, table } from './table';

const RANK = 64;
const N = 10;
const CASES = [
  { items: 27_000, users: 1000, queries: 300, quick: 100 },
  { items: 1_000_000, users: 10_000, queries: 60, quick: 15 },
];
const WARM_UP = 10;

export const PROTOCOL =
  'milliseconds of one recommend(user, { n: 10, filterSeen: true }) at rank 64 on one thread; a model of one epoch in which every item has one or two ratings; another user each time';

export interface TopNRow {
  readonly items: number;
  readonly milliseconds: Spread;
}

export async function topN({ args }: Bench): Promise<TopNRow[]> {
  const rows: TopNRow[] = [];
  for (const { items, users, queries, quick } of CASES) {
    const options = { rank: RANK, epochs: 1, ...(args.kernels !== undefined && { kernels: args.kernels }) };
    const model = new MF(options);
    await model.fit(onceOrTwice(users, items));
    const query = (at: number) => model.recommend((at * 7) % users, { n: N, filterSeen: true });
    for (let at = 0; at < WARM_UP; at++) query(at);
    const times: number[] = [];
    for (let at = 0; at < (args.quick ? quick : queries); at++) {
      const started = performance.now();
      const { length } = query(WARM_UP + at);
      times.push(performance.now() - started);
      if (length !== N) throw new Error(`recommend gave ${length} items, not ${N}`);
    }
    rows.push({ items, milliseconds: spread(times) });
  }
  const cells = rows.map(({ items, milliseconds }) => [
    String(items),
    spreadText(milliseconds),
    digits((items * RANK * 4) / milliseconds.median / 1e6),
  ]);
  console.log(table(['items', `ms: ${SPREAD_TITLE}`, 'GB/s of item vectors'], cells));
  return rows;
}

/** Every item is rated once, and each second one once more, by users in turn. */
function onceOrTwice(users: number, items: number): Interactions {
  const size = items + (items >> 1);
  const ids = (count: number) => Vocabulary.from(Int32Array.from({ length: count }, (_, at) => at));
  const column = (entry: (at: number) => number) => Int32Array.from({ length: size }, (_, at) => entry(at));
  return Interactions.ofIndices({
    users: ids(users),
    items: ids(items),
    userIndex: column((at) => (at < items ? at % users : (7 * at + 3) % users)),
    itemIndex: column((at) => (at < items ? at : 2 * (at - items))),
    values: Float32Array.from({ length: size }, (_, at) => 1 + (((at * 2654435761) >>> 7) % 5)),
  });
}
