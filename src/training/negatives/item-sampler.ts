// Draws items that a user does not have: uniformly, or by popularity to a power.

import { exponential, naturalLog } from '../../core/elementary';
import { DataError } from '../../core/errors';
import type { Stream } from '../../core/random';
import { AliasTable } from './alias-table';
import type { Positives } from './positives';

/** How negatives are drawn for each interaction. */
export interface NegativeSampling {
  /** Negatives for each interaction, at least 1. */
  readonly count: number;
  /** 'popularity': an item with n interactions has a chance in proportion to n^exponent. */
  readonly sampler: 'uniform' | 'popularity';
  readonly exponent: number;
}

/** Draws that are refused before the items are looked through one by one. */
const PATIENCE = 200;

/** The sampler of a training. */
export class ItemSampler {
  /** The items that occur. */
  private readonly items: Int32Array;
  private readonly table: AliasTable | null;
  /** log of the chance of an item, by number. */
  readonly logChance: Float32Array;

  constructor(
    counts: Int32Array,
    private readonly positives: Positives,
    { sampler, exponent }: NegativeSampling,
  ) {
    this.items = Int32Array.from(counts.keys()).filter((item) => counts[item]! > 0);
    // n^exponent as exp(exponent log n), which has the same bits everywhere.
    const power = (item: number) => (sampler === 'uniform' ? 1 : exponential(exponent * naturalLog(counts[item]!)));
    const weights = Float64Array.from(this.items, power);
    this.table = sampler === 'uniform' ? null : new AliasTable(weights);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.logChance = new Float32Array(counts.length);
    for (const [place, item] of this.items.entries()) this.logChance[item] = naturalLog(weights[place]! / sum);
  }

  /** An item that the user does not have. @throws DataError where the user has every item; passOver leaves such users out */
  draw(user: number, stream: Stream): number {
    const { items, table, positives } = this;
    for (let tries = 0; tries < PATIENCE; tries++) {
      const item = items[table === null ? stream.below(items.length) : table.draw(stream)]!;
      if (!positives.has(user, item)) return item;
    }
    // A user of nearly everything: one of what is left.
    const left = items.filter((item) => !positives.has(user, item));
    if (left.length > 0) return left[stream.below(left.length)]!;
    throw new DataError(
      `user ${user} has every one of the ${items.length} items, so that there is no negative to draw`,
    );
  }
}
