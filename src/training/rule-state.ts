// What training carries from epoch to epoch beside the factors: the rule's memory of each, and how many steps were made.
// It is the same whatever trains (WebAssembly, JavaScript, threads), so that one may go on where another has stopped.

import type { Factor, Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Precision } from '../parameters/memory';
import { allocate } from '../parameters/memory';

/** The rule's memory of the factors, by their names, slot by slot. */
export type RuleState = ReadonlyMap<string, readonly Real[]>;

/** All that a trainer carries. */
export interface TrainerState {
  readonly slots: RuleState;
  /** Steps of batches so far; 0 where steps follow from the epoch. */
  readonly steps: number;
}

/** A trainer that carries nothing. */
export const STATELESS: TrainerState = { slots: new Map(), steps: 0 };

/** The numbers of a slot of a factor. */
export function slotLength({ shape }: SlotSpec, { rows, cols }: Factor): number {
  return shape === 'element' ? rows * cols : shape === 'row' ? rows : 1;
}

/** A slot at its start. */
export function emptySlot(slot: SlotSpec, factor: Factor): Real {
  const precision: Precision = factor.data instanceof Float64Array ? 'float64' : 'float32';
  const memory = allocate(precision, slotLength(slot, factor));
  // Zeros are there already, and writing them would make pages of memory of them at once.
  return slot.initial ? memory.fill(slot.initial) : memory;
}
