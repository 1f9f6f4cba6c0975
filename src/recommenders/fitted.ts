// A trained factorization, and how it comes from a model that training has left.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import type { Factorization } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';
import type { Seen } from '../serving/seen';
import { ServedTables, type Tables, tablesOf } from './served-tables';
import type { Units } from './units';

/** A trained factorization and all that answering questions needs. */
export interface Fitted {
  readonly model: Factorization;
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
  readonly units: Units;
  readonly tables: Tables;
  readonly served: ServedTables;
  /**
   * Of the rows that partialFit has left as they were: how many of their interactions have come since they were fitted.
   * Absent: none.
   */
  readonly unfitted?: Unfitted | undefined;
}

/** By the number of a user, or of an item. */
export interface Unfitted {
  readonly users: ReadonlyMap<number, number>;
  readonly items: ReadonlyMap<number, number>;
}

/** Folds the units into the tables, where the link allows: the scores of the model are then ratings. */
export async function finish(
  model: Factorization,
  data: Interactions,
  seen: Seen,
  units: Units,
  scheduler: Scheduler,
): Promise<Fitted> {
  if (units.link !== 'identity') return serve(model, data, seen, units, scheduler);
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  model.globalMean = units.shift;
  userEmbedding.rescale(Math.sqrt(units.scale));
  await scheduler.yieldNow();
  itemEmbedding.rescale(Math.sqrt(units.scale));
  userBias?.rescale(units.scale);
  itemBias?.rescale(units.scale);
  await scheduler.yieldNow();
  return serve(model, data, seen, { ...units, shift: 0, scale: 1, folded: units.scale }, scheduler);
}

/** The trained state as it is now. Tables that are products are multiplied out. */
export async function serve(
  model: Factorization,
  data: Interactions,
  seen: Seen,
  units: Units,
  scheduler: Scheduler,
): Promise<Fitted> {
  const { userEmbedding, itemEmbedding } = model;
  const tables = tablesOf(model, await collapse(userEmbedding, scheduler), await collapse(itemEmbedding, scheduler));
  const { users, items } = data;
  return { model, users, items, seen, units, tables, served: new ServedTables(tables, units, seen) };
}

/** A table's product, worked out in parts; its own memory where it is plain. */
export async function collapse(parameter: Parameter, scheduler: Scheduler): Promise<Real> {
  if (parameter.factors.length === 1) return parameter.values;
  const { rows, dim } = parameter;
  const product = new Float32Array(rows * dim);
  await forEachChunk(rows, scheduler, (from, to) => product.set(parameter.collapse(from, to), from * dim));
  return product;
}
