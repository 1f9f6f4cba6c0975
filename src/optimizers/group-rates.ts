// One learning rate for everything, or one for each group of factors. Which rate a factor gets is decided in
// learning-rate.ts; this file only says what may be written and checks it.

import { type Check, type Fields, number, optional, readOptions, wrong } from '../core/options';

/**
 * Learning rates by group, each above 0. `bias`, `dense` and `linear` fall back on `embedding`; a factor of the role
 * `map` (what a table is multiplied by in a product) takes `map`, else the rate of its group. `embedding` falls back on
 * the default of the optimizer.
 *
 * @example
 * ```ts
 * import { sgd, type GroupRates } from 'opmf';
 * const rates: GroupRates = { embedding: 0.02, bias: 0.05 };
 * console.log(JSON.stringify(sgd({ learningRate: rates }).learningRate)); // {"embedding":0.02,"bias":0.05}
 * ```
 */
export interface GroupRates {
  readonly embedding?: number | undefined;
  readonly bias?: number | undefined;
  readonly map?: number | undefined;
  readonly dense?: number | undefined;
  readonly linear?: number | undefined;
}

/** A learning rate before any schedule: one number, or one a group. */
export type Rate = number | GroupRates;

const positive = number({ min: 0, above: true });
const groups: Fields<GroupRates> = {
  embedding: optional(positive),
  bias: optional(positive),
  map: optional(positive),
  dense: optional(positive),
  linear: optional(positive),
};

/** A finite number above 0, or a record of them. */
export const rate: Check<Rate> = (value, name) => {
  if (typeof value === 'number') return positive(value, name);
  if (typeof value === 'object' && value !== null) return readOptions<GroupRates>(name, value, groups, `${name}.`);
  throw wrong(
    name,
    value,
    'a number above 0, rates by group such as { embedding: .02, bias: .05 }, or a schedule such as cosine(.02)',
  );
};
