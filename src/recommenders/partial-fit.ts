// Training goes on with what is new: the rows of the users and items that it is about are fitted anew to all of their
// history, one by one, the other side frozen. Every step lowers the objective of the fit; no other row changes a byte.

import { UnsupportedError } from '../core/errors';
import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { Real } from '../optimizers/factor';
import { type KernelChoice, usesWasm } from '../training/engine-options';
import { costOf, foldRow, type RowProblem } from '../training/fold-in/fold-row';
import { NormalEquations } from '../training/fold-in/normal-equations';
import type { HistoryEntry } from './answers';
import { extendSeen } from './extend-seen';
import type { Fitted } from './fitted';
import { historyOf, type RowProblems } from './folded-answers';
import type { Seen } from './seen';
import type { Units } from './units';

/** A row moves where at least this part of its history is new; with less it would hardly. */
const LEAST_NEW = 0.25;

/** A trained state without what follows from it. */
export type TrainedState = Omit<Fitted, 'model' | 'served'>;

/** The state with the interactions in it, and the mean loss over the histories of the users that were fitted. */
export async function partialFit(
  fitted: TrainedState,
  data: Interactions,
  problemsOf: (state: TrainedState) => RowProblems,
  kernels: KernelChoice,
  turns: Turns,
): Promise<{ state: TrainedState; loss: number }> {
  if (!fitted.seen.isKept || (fitted.seen.values === null && problemsOf(fitted).needsValues)) {
    throw new UnsupportedError(
      'partialFit fits rows to all of their history, and this model was saved without; save it with history: true, or fit it again',
    );
  }
  const { users, items, seen, newOfUser, newOfItem } = extendSeen(fitted, data);
  const { tables: old } = fitted;
  const { rank } = old;
  const hasBias = old.userBias.length > 0;
  const tables = {
    ...old,
    userEmbedding: grown(old.userEmbedding, users.size * rank),
    itemEmbedding: grown(old.itemEmbedding, items.size * rank),
    userBias: hasBias ? grown(old.userBias, users.size) : old.userBias,
    itemBias: hasBias ? grown(old.itemBias, items.size) : old.itemBias,
  };
  const units = widened(fitted.units, data.values);
  const state = { users, items, seen, units, tables };
  const problems = problemsOf(state);
  const equations = new NormalEquations(rank + (hasBias ? 1 : 0), usesWasm(kernels));
  const isNew = (count: number, all: number) => count > 0 && count >= LEAST_NEW * all;
  let [cost, size] = [0, 0];
  for (let user = 0; user < users.size; user++) {
    if (!isNew(newOfUser[user]!, seen.userCounts[user]!)) continue;
    const history = historyOf(seen, user);
    const problem = problems.user(history);
    const row = await fitRow(problem, equations, tables.userEmbedding, tables.userBias, user, turns);
    cost += costOf(problem, row);
    size += history.length;
  }
  const moved = newOfItem.map((count, item) => (isNew(count, seen.itemCounts[item]!) ? 1 : 0));
  if (!problems.comparesItems) {
    for (const [item, history] of historiesOf(seen, moved)) {
      await fitRow(problems.item(history), equations, tables.itemEmbedding, tables.itemBias, item, turns);
    }
  }
  return { state, loss: size > 0 ? cost / size : 0 };
}

async function fitRow(
  problem: RowProblem,
  equations: NormalEquations,
  table: Real,
  biases: Real,
  row: number,
  turns: Turns,
): Promise<Float64Array> {
  const { rank, rows } = problem;
  const found = foldRow(problem, equations);
  table.set(found.subarray(0, rank), row * rank);
  if (biases.length > 0) biases[row] = found[rank]!;
  if (turns.isDue(rows.length * rank)) await turns.breathe();
  return found;
}

/** Who has each of the marked items. */
function historiesOf({ offsets, items, values }: Seen, marks: Int32Array): Map<number, HistoryEntry[]> {
  const lists = new Map<number, HistoryEntry[]>();
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let at = offsets[user]!; at < offsets[user + 1]!; at++) {
      const item = items[at]!;
      if (marks[item] === 0) continue;
      const entry = { index: user, value: values?.[at] ?? 1, weight: 1 };
      const list = lists.get(item);
      if (list === undefined) lists.set(item, [entry]);
      else list.push(entry);
    }
  }
  return lists;
}

/** A copy with more room, zeroed. */
function grown(table: Real, length: number): Float32Array {
  const copy = new Float32Array(length);
  copy.set(table.subarray(0, length));
  return copy;
}

/** Predictions may be as far out as the new ratings; the scale of a sigmoid is part of the model. */
function widened(units: Units, values: Float32Array): Units {
  if (units.link === 'sigmoid') return units;
  let { minimum, maximum } = units;
  for (const value of values) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { ...units, minimum, maximum };
}
