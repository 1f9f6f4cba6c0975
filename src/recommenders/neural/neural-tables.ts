// The tables of a trained neural model as what scores read: plain, by name.

import type { Scheduler } from '../../core/scheduler';
import type { NeuralCFModel } from '../../models/neural-cf';
import type { Real } from '../../optimizers/factor';
import { collapse } from '../fit-interactions';

/** One table. */
export interface NeuralTable {
  readonly values: Real;
  readonly rows: number;
  readonly dim: number;
}

/** All of a model. */
export type NeuralTables = ReadonlyMap<string, NeuralTable>;

/** Both vectors of one part of a model: GMF's, or the MLP's. */
export interface PairVectors {
  readonly users: Real;
  readonly items: Real;
  readonly dim: number;
}

/** The tables of a model: its own memory where they are plain, else their products. */
export async function neuralTablesOf({ parameters }: NeuralCFModel, scheduler: Scheduler): Promise<NeuralTables> {
  const tables = new Map<string, NeuralTable>();
  for (const parameter of parameters) {
    const { name, rows, dim } = parameter;
    tables.set(name, { values: await collapse(parameter, scheduler), rows, dim });
  }
  return tables;
}

/** The tables of a plain model: its own memory. */
export function plainTablesOf({ parameters }: NeuralCFModel): NeuralTables {
  return new Map(parameters.map(({ name, values, rows, dim }) => [name, { values, rows, dim }]));
}

/** The vectors of a part, null where the model does not have it. */
export function vectorsOf(tables: NeuralTables, part: 'gmf' | 'mlp'): PairVectors | null {
  const [users, items] = [tables.get(`${part}User`), tables.get(`${part}Item`)];
  if (users === undefined || items === undefined) return null;
  return { users: users.values, items: items.values, dim: users.dim };
}
