// The lists of many users on threads: who is asked, in shares of some hundred users, and what becomes of the answers. What
// the threads do is in kernels/scorer-wasm.ts. The lists are those of one thread, to the bit.

import { runToEnd, runYielding, type Scheduler } from '../core/scheduler';
import type { Id } from '../data/vocabulary';
import { type ListQuery, LONGEST_LIST, MOST_LISTED, SharedLists, WasmScorer } from '../kernels/scorer-wasm';
import { Threads, threadsFor } from '../training/threads';
import { inWasm } from '../wasm/host';
import type { FactorizationState } from './factorization-state';
import { rated } from './factorization-tables';
import type { Answered } from './predictor';
import type { RecommendationList } from './questions';
import type { ScoredIndex } from './top-k';
import type { ItemRequest } from './trained-state';

/** Starting threads takes longer than so many products of two numbers. */
const WORTH_THREADS = 2 ** 34;

/** The lists of users, some at a time; undefined where one thread makes them as fast, or has to. @see Predictor.recommendEach */
export async function listsOnThreads(
  state: FactorizationState,
  request: ItemRequest,
  users: Iterable<Id>,
  choice: number | 'auto',
  scheduler: Scheduler,
  answered: Answered,
): Promise<AsyncIterable<[Id, RecommendationList][]> | undefined> {
  const best = state.bestItems;
  const n = Math.min(request.n, best.count);
  if (choice === 1 || n === 0 || n > LONGEST_LIST) return undefined;
  const marks = best.marks.copy();
  const candidates = marks.mark(request.candidates, request.exclude);
  if (!best.isPass(candidates)) return undefined;
  const scorer = best.scorer();
  if (!(scorer instanceof WasmScorer)) return undefined;
  if (choice === 'auto' && sizeOf(users) * scorer.count * scorer.dim < WORTH_THREADS) return undefined;
  const { threads: count, host } = threadsFor(choice, Infinity);
  if (host === null) return undefined;
  await runYielding(scorer.layOut(), scheduler);
  const isAllowed = marks.check(candidates !== null);
  const allowed = Uint8Array.from({ length: best.count }, (_, item) => (isAllowed(item) ? 1 : 0));
  const lists = inWasm('auto', () => new SharedLists(scorer, n, allowed, count));
  if (lists === null) return undefined;
  await runYielding(lists.copy(), scheduler);
  const threads = await Threads.start(host, count, lists.module, lists.memory, scheduler);
  if (threads === null) return undefined;

  const queryOf = (user: number): ListQuery | undefined => {
    if (!best.served.hasUser(user)) return undefined;
    const { values, start, base, seen } = best.rowOf(user);
    const query = { values: values as Float32Array, start, base, hidden: request.filterSeen ? seen : [] };
    return lists.takes(query) ? query : undefined;
  };

  const bestOf = async (rows: readonly number[]): Promise<ScoredIndex[][]> => {
    const found = new Map<number, ScoredIndex[]>();
    const asked = [...new Set(rows)].flatMap((user) => {
      const query = queryOf(user);
      return query === undefined ? [] : [{ user, query }];
    });
    const queries = asked.map(({ query }) => query);
    for (let next = 0; next < queries.length; ) {
      const share = Math.min(Math.ceil((queries.length - next) / count), MOST_LISTED);
      let user = next;
      const counts = Array.from({ length: count }, (_, thread) => {
        const own = lists.write(thread, queries, next, share);
        next += own;
        return own;
      });
      const calls = counts.map((own, thread) => [lists.calls(thread, own)]);
      await threads.run(SharedLists.CALLED, calls, scheduler);
      for (const [thread, own] of counts.entries()) {
        for (let at = 0; at < own; at++) {
          const list: ScoredIndex[] = [];
          lists.read(thread, at, (index, score) => list.push({ index, score }));
          found.set(asked[user++]!.user, list);
        }
      }
    }
    // Who is not known, and vectors that threads do not take.
    const rest = rows.filter((row) => !found.has(row));
    const others = runToEnd(best.steps(rest, request, marks, candidates));
    let next = 0;
    const all = rows.map((row) => found.get(row) ?? others[next++]!);
    return rated(best.served, rows, all);
  };
  return inShares(users, count * MOST_LISTED, state, bestOf, answered, () => threads.stop());
}

/** How many users there are; 0 where only going through them tells. */
function sizeOf(users: Iterable<Id>): number {
  const { length, size } = users as { readonly length?: unknown; readonly size?: unknown };
  const count = length ?? size;
  return typeof count === 'number' ? count : 0;
}

/** Answers for some users at a time: while the lists of some are used, those of the next are made. */
async function* inShares(
  users: Iterable<Id>,
  atOnce: number,
  state: FactorizationState,
  bestOf: (rows: readonly number[]) => Promise<ScoredIndex[][]>,
  answered: Answered,
  stop: () => void,
) {
  let ids: Id[] = [];
  let pending: { ids: readonly Id[]; rows: readonly number[]; lists: Promise<ScoredIndex[][]> } | undefined;
  const advance = async () => {
    const done = pending && { ...pending, lists: await pending.lists };
    pending = undefined;
    if (ids.length > 0) {
      const rows = ids.map((id) => state.users.indexOf(id));
      pending = { ids, rows, lists: bestOf(rows) };
      // Told when its turn comes.
      pending.lists.catch(() => undefined);
      ids = [];
    }
    return done === undefined ? [] : answered(done.ids, done.rows, done.lists);
  };
  try {
    for (const id of users) {
      ids.push(id);
      if (ids.length >= atOnce) yield await advance();
    }
    while (ids.length > 0 || pending !== undefined) yield await advance();
  } finally {
    stop();
  }
}
