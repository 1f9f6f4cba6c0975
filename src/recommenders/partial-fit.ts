// Training goes on with what is new: the rows of the users and items that it is about are fitted anew to all of their
// history, one by one, the other side frozen. Every step lowers the objective of the fit; no other row changes a byte.

import { UnsupportedError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { backendOf } from '../kernels/backend';
import { MFModel } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import { type FittedFactorization, type RatingScale, ServedTables, tablesOf } from '../serving/factorization-tables';
import { checkRow, type FoldIn, historyOf } from '../serving/fold-in/fold-in';
import { costOf, foldSteps, NormalEquations, type RidgeProblem } from '../serving/fold-in/fold-row';
import { eachUserOf, type InteractionHistory } from '../serving/interaction-history';
import type { HistoryEntry } from '../serving/trained-state';
import type { KernelChoice } from '../wasm/host';
import { extendSeen } from './extend-seen';
import { weighAs } from './targets';

/** A row moves where at least this part of its history is new; with less it would hardly. */
const LEAST_NEW = 0.25;

/** A trained state without what follows from it. */
export type FittedTables = Omit<FittedFactorization, 'model' | 'served'>;

/** The state with the interactions in it, and the mean loss over the histories of the users that were fitted. */
export async function partialFit(
  fitted: FittedTables,
  data: Interactions,
  problemsOf: (state: FittedTables) => FoldIn,
  kernels: KernelChoice,
  scheduler: Scheduler,
): Promise<{ fitted: FittedFactorization; loss: number }> {
  if (!fitted.seen.isKept || (fitted.seen.values === null && problemsOf(fitted).needsValues)) {
    throw new UnsupportedError(
      'partialFit fits rows to all of their history, and this model was saved without; save it with history: true, or fit it again',
    );
  }
  const { users, items, seen, newOfUser, newOfItem } = await extendSeen(
    fitted,
    await weighAs(fitted.units, data, scheduler),
    scheduler,
  );
  const model = await grownModel(fitted.tables, seen, scheduler);
  const tables = tablesOf(model);
  const units = widened(fitted.units, data.values);
  const unfitted = { users: new Map(fitted.unfitted?.users), items: new Map(fitted.unfitted?.items) };
  const state = { users, items, seen, units, tables, unfitted };
  const problems = problemsOf(state);
  const equations = new NormalEquations(tables.rank + (tables.userBias.length > 0 ? 1 : 0), backendOf(kernels));
  let [cost, size] = [0, 0];
  await problems.prepare?.('users', scheduler);
  for (const user of dueRows(newOfUser, unfitted.users, seen.userCounts)) {
    const history = historyOf(seen, user);
    const problem = problems.user(history);
    const row = await fitRow(problem, equations, tables.userEmbedding, tables.userBias, user, scheduler);
    cost += costOf(problem, row);
    size += history.length;
  }
  if (!problems.comparesItems) {
    const due = dueRows(newOfItem, unfitted.items, seen.itemCounts);
    if (due.length > 0) await problems.prepare?.('items', scheduler);
    for (const item of due) {
      const history: HistoryEntry[] = [];
      await eachUserOf(seen, item, scheduler, (index, value, weight) => history.push({ index, value, weight }));
      await fitRow(problems.item(history), equations, tables.itemEmbedding, tables.itemBias, item, scheduler);
    }
  }
  return {
    fitted: { ...state, model, served: new ServedTables(tables, units, seen) },
    loss: size > 0 ? cost / size : 0,
  };
}

/** The rows with enough new ratings since they were last fitted, in order; their counts restart at 0. The others keep theirs. */
function dueRows(added: ReadonlyMap<number, number>, unfitted: Map<number, number>, counts: Int32Array): number[] {
  const due: number[] = [];
  for (const [row, count] of added) {
    const all = (unfitted.get(row) ?? 0) + count;
    if (all >= LEAST_NEW * counts[row]!) {
      due.push(row);
      unfitted.delete(row);
    } else unfitted.set(row, all);
  }
  return due.sort((a, b) => a - b);
}

/** A plain model with the tables, and rows of zeros for whoever is new. */
async function grownModel(
  tables: FittedFactorization['tables'],
  seen: InteractionHistory,
  scheduler: Scheduler,
): Promise<MFModel> {
  const { rank, globalMean, userBias } = tables;
  const biases = userBias.length > 0;
  const [users, items] = [seen.userCounts.length, seen.itemCounts.length];
  const model = new MFModel({ users, items, rank, biases, globalMean, initScale: 0 });
  for (const { name, values } of model.parameters) {
    const old = tables[name as 'userEmbedding'];
    await forEachChunk(old.length, scheduler, (from, to) => values.set(old.subarray(from, to), from));
  }
  return model;
}

async function fitRow(
  problem: RidgeProblem,
  equations: NormalEquations,
  table: Real,
  biases: Real,
  row: number,
  scheduler: Scheduler,
): Promise<Float64Array> {
  const { rank, rows } = problem;
  const steps = foldSteps(problem, equations);
  let step = steps.next();
  for (; !step.done; step = steps.next()) if (scheduler.isDue(step.value)) await scheduler.yieldNow();
  const found = step.value;
  checkRow(found, rank);
  table.set(found.subarray(0, rank), row * rank);
  if (biases.length > 0) biases[row] = found[rank]!;
  if (scheduler.isDue(rows.length * rank)) await scheduler.yieldNow();
  return found;
}

/** Predictions may be as far out as the new ratings; the scale of a sigmoid is part of the model. */
function widened(units: RatingScale, values: Float32Array): RatingScale {
  if (units.link === 'sigmoid') return units;
  let { minimum, maximum } = units;
  for (const value of values) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { ...units, minimum, maximum };
}
