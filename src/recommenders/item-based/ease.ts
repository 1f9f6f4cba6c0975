// The weights of EASE, solved for: one inverse of a dense matrix of items.

import { floats } from '../../core/allocate';
import { DataError } from '../../core/errors';
import { field, number, orAuto, readOptions } from '../../core/options';
import type { Scheduler } from '../../core/scheduler';
import { transpose } from '../../data/csr';
import type { Interactions } from '../../data/interactions';
import { INVERSE_STEPS, inTiles, inverseLengths, invert, jsInverse, writeInverse } from '../../kernels/inverse';
import { MOST } from '../../kernels/kernels';
import { jsCountShared, onesLengths, pairsOf, writeCountShared } from '../../kernels/shared-rows';
import { decodeBase } from '../../serving/item-state';
import { DenseWeights } from '../../serving/item-weights';
import { restore, type SavedModel } from '../../serving/saved-model';
import type { History } from '../../training/fit';
import { PartRunner, type Work, type Workplace } from '../../training/threads';
import { ModuleBuilder } from '../../wasm/assembler';
import { layOut, type Part } from '../../wasm/host';
import type { ALSOptions } from '../als';
import type { FilledFitOptions } from '../fit-options';
import { placeFields } from '../training-options';
import { fitOnce, type Histories, historiesOf } from './histories';
import { askedOf, ItemRecommender } from './item-recommender';

/** B = -P / diag(P) column by column, its diagonal 0; P = (X^T X + lambda I)^-1. */
export async function solveEase(
  histories: Histories,
  lambda: number,
  place: Workplace,
  scheduler: Scheduler,
): Promise<DenseWeights> {
  const { seen, itemOffsets, itemUsers } = histories;
  const count = seen.itemCounts.length;
  const n = inTiles(count);
  const columns = seen.userCounts.length;
  const byUser = await transpose(itemOffsets, itemUsers, columns, scheduler);
  const layout = layOut({ ...onesLengths(count, columns, itemUsers.length), ...inverseLengths(n) });
  const { at } = layout;
  const what = `the matrix of EASE, of ${count} x ${count} items,`;
  const work: Work = {
    names: [...INVERSE_STEPS, 'countShared'],
    bytes: layout.bytes,
    scratch: 0,
    what,
    encode(memory) {
      const module = new ModuleBuilder();
      writeInverse(module, n, at);
      writeCountShared(module, at, n, at.matrix);
      return module.encode(memory);
    },
    define(buffer) {
      const arrays = layout.views(buffer);
      return { ...jsInverse(arrays, n), countShared: jsCountShared(arrays, n, arrays.matrix) };
    },
  };
  const values = floats(count * count, what);
  const runner = await PartRunner.start(work, n * n * n * A_PRODUCT, place, scheduler);
  let largest = 0;
  try {
    const arrays = layout.views(runner.buffer);
    arrays.starts.set(itemOffsets);
    arrays.columns.set(itemUsers);
    arrays.columnStarts.set(byUser.starts);
    arrays.rows.set(byUser.rows);
    const { matrix: p } = arrays;
    const counts: Part[] = [];
    for (let item = 0; item < count; item++) {
      const pairs = pairsOf(arrays, item);
      counts.push({ call: () => [INVERSE_STEPS.length, item, item + 1, 0, 0], cost: 1 + (pairs >> 4) });
      if (scheduler.isDue(itemOffsets[item + 1]! - itemOffsets[item]!)) await scheduler.yieldNow();
    }
    await runner.run([counts]);
    for (let item = 0; item < n; item++) p[item * n + item]! += item < count ? lambda : 1;
    if (!(await invert(arrays, n, (strata) => runner.run(strata)))) throw singular(lambda);
    for (let from = 0; from < count; from++) {
      for (let to = 0; to < count; to++) {
        if (to === from) continue;
        const weight = -p[from * n + to]! / p[to * n + to]!;
        values[from * count + to] = weight;
        if (!(Math.abs(weight) <= largest)) largest = Number.isNaN(weight) ? Infinity : Math.abs(weight);
      }
      if (scheduler.isDue(count)) await scheduler.yieldNow();
    }
  } finally {
    runner.stop();
  }
  // Scores are sums of at most `count` of them.
  if (!(count * largest <= MOST)) throw singular(lambda);
  return new DenseWeights(count, values);
}

/** A multiplication, by what a rating costs in training. */
const A_PRODUCT = 1 / 4096;

function singular(lambda: number): DataError {
  return new DataError(
    `EASE: X^T X + regularization I is singular to working precision at regularization ${lambda}; use a greater one`,
  );
}

// EASE, the shallow autoencoder with a closed form, as a recommender.

/** Beyond this the matrices are 300 MB, and the inverse minutes. */
const MAX_ITEMS = 5000;

/** The options of EASE. */
export interface EASEOptions extends Pick<ALSOptions, 'kernels' | 'threads'> {
  /**
   * lambda, above 0: the ridge of every item's regression. 'auto': 120 + 2.4 n, n the items of a user in the mean, and
   * scores have a part of what items have in common by chance, so that the popular come first where a history says little; after the fit
   * `options.regularization` is the number. @defaultValue 'auto'
   */
  readonly regularization?: number | 'auto' | undefined;
}

/** Their declarations. */
export const easeFields = () => ({
  regularization: field(orAuto(number({ min: 0, above: true })), 'auto'),
  ...placeFields(),
});

/** What 'auto' is: measured on 14 sets of events, docs/defaults.md. */
const LEAST = 120;
const PER_ITEM = 2.4;
/**
 * What an item has whatever the history: as from one other item, of as many users as that of an interaction has in the mean, with
 * which it shares users as by chance; and at most of so many users as this part of the ridge:
 * without it users with two items were told less than by popularity (NDCG@20 .136 to .149 of .145), from twice as much on those
 * with ten are told less than without.
 */
const FROM_CHANCE = 0.15;

/**
 * The default for some histories, and what items have whatever the history. The more items users have, the more of them any two
 * share by chance.
 */
function chooseRidge({ seen: { offsets, items }, itemOffsets }: Histories): {
  readonly regularization: number;
  readonly base: Float32Array;
} {
  let users = 0;
  for (let user = 0; user + 1 < offsets.length; user++) if (offsets[user + 1]! > offsets[user]!) users++;
  const perUser = items.length / Math.max(users, 1);
  const regularization = LEAST + PER_ITEM * perUser;
  const counts = Float64Array.from({ length: itemOffsets.length - 1 }, (_, i) => itemOffsets[i + 1]! - itemOffsets[i]!);
  const perItem = counts.reduce((sum, count) => sum + count * count, 0) / Math.max(items.length, 1);
  const shared = Math.min(perItem, FROM_CHANCE * regularization);
  const part = shared / (perItem + regularization) / Math.max(users, 1);
  return { regularization, base: Float32Array.from(counts, (count) => part * count) };
}

/**
 * Embarrassingly shallow autoencoder: a weight from every item to every other, by ridge regression of each item on the rest.
 *
 * score(u, i) = sum over the items j of u of B_ji; P = (X^T X + lambda I)^-1, B = -P / diag(P) by column, diag(B) = 0; X is
 * users x items, 1 where there is an interaction, whatever its value, and its weight unless that is 0: leave out beforehand what was disliked. Scores are
 * no ratings; that of a user or item that training never saw is 0. How alike items are: sign x sqrt(B_ij B_ji), from -1 to 1,
 * which is their partial correlation.
 *
 * Cost: fit O(sum over users of the square of their items + items^3), recommend O(items of the user x items);
 * memory 12 x items^2 bytes in the fit and 4 x items^2 after it and in a file. A model saved without history has no users
 * left; what is then folded in still works.
 *
 * @throws OptionError for an unknown option or a value out of its range; DataError from fit for more than 5,000 items.
 * @see Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), equation 8
 * @example
 * ```ts
 * import { EASE, Interactions } from 'opmf';
 * const model = new EASE({ regularization: 1 });
 * await model.fit(Interactions.from([['ann', 'tea'], ['ann', 'milk'], ['bob', 'tea'], ['bob', 'milk'], ['bob', 'soup'], ['cy', 'tea']]));
 * console.log(model.recommend('cy').map(({ itemId }) => itemId)); // [ 'milk', 'soup' ]
 * ```
 */
export class EASE extends ItemRecommender<EASEOptions> {
  readonly name = 'ease';

  constructor(options?: EASEOptions) {
    super('EASE', readOptions('EASE', options, easeFields()));
  }

  fresh(): EASE {
    return new (this.constructor as typeof EASE)(this.asked);
  }

  /** Solves. The history has no epochs. */
  protected async train(data: Interactions, options: FilledFitOptions): Promise<History> {
    const { size } = data.items;
    if (size > MAX_ITEMS) {
      throw new DataError(
        `EASE.fit: data has ${size} items, and EASE is dense over items: at most ${MAX_ITEMS}; use ItemKNN, or keep the most popular items`,
      );
    }
    return fitOnce('EASE', options, async (scheduler) => {
      const histories = await historiesOf(data, scheduler);
      const { asked } = this;
      const given = asked.regularization;
      const { regularization, base } =
        given === 'auto' ? chooseRidge(histories) : { regularization: given, base: null };
      const weights = await solveEase(histories, regularization, asked, scheduler);
      this.learned(data, histories, weights, Object.freeze({ ...asked, regularization }), base);
    });
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): EASE {
    return restore(bytes, 'ease', EASE.of);
  }

  /** @internal A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): EASE {
    const model = new EASE(askedOf(saved));
    model.learned(saved, saved, DenseWeights.decode(saved), new EASE(saved.options).options, decodeBase(saved));
    return model;
  }
}
