// A trained factorization, and how it comes from a model that training has left.

import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import type { Factorization } from '../models/factorization';
import type { Seen } from './seen';
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
}

/** Folds the units into the tables, where the link allows: the scores of the model are then ratings. */
export async function finish(
  model: Factorization,
  data: Interactions,
  seen: Seen,
  units: Units,
  turns: Turns,
): Promise<Fitted> {
  if (units.link !== 'identity') return serve(model, data, seen, units);
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  model.globalMean = units.shift;
  userEmbedding.rescale(Math.sqrt(units.scale));
  await turns.breathe();
  itemEmbedding.rescale(Math.sqrt(units.scale));
  userBias?.rescale(units.scale);
  itemBias?.rescale(units.scale);
  await turns.breathe();
  return serve(model, data, seen, { ...units, shift: 0, scale: 1 });
}

/** The trained state as it is now. Tables that are products are multiplied out. */
export function serve(model: Factorization, data: Interactions, seen: Seen, units: Units): Fitted {
  const tables = tablesOf(model);
  const { users, items } = data;
  return { model, users, items, seen, units, tables, served: new ServedTables(tables, units, seen) };
}
