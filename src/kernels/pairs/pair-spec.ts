// What a program of steps on pairs of rows is written for: everything that does not change while it runs.

import { isPerRow, type PairRule } from './rules';

/** One of the two tables: its rows are x, x s_1 s_2 ..., or x (.) v_1 (.) v_2 ... */
export interface PairSideSpec {
  readonly kind: 'plain' | 'scalar' | 'diagonal';
  /** How many maps: 0 where plain. */
  readonly maps: number;
}

/** A pointwise loss, behind a sigmoid to a scale where there is one. */
export interface PairLoss {
  readonly name: 'squared' | 'absolute' | 'huber' | 'logistic';
  readonly sigmoid: { readonly minimum: number; readonly range: number } | null;
}

/** The steps: score = mean + bias_i + bias_j + <row_i, row_j>, its loss, its gradients, and the updates of both rows. */
export interface PairSpec {
  readonly rank: number;
  readonly left: PairSideSpec;
  readonly right: PairSideSpec;
  readonly hasBiases: boolean;
  readonly isWeighted: boolean;
  /** A float32. */
  readonly mean: number;
  readonly loss: PairLoss;
  readonly rule: PairRule;
  /** The most right rows that one step takes with one left row. */
  readonly grouping: 1 | 4;
}

/**
 * One rate for a whole x or s x, without weight decay: x' = a x - b y, three operations an element where the general form
 * has five. A rate that comes from the squares of the row's gradient takes norms for it, which carriesNorms has to allow.
 */
export function isLinear({ rule, grouping }: PairSpec, { kind }: PairSideSpec): boolean {
  const hasOneRate = rule.name === 'sgd' || (isPerRow(rule) && grouping === 1);
  return hasOneRate && rule.weightDecay === 0 && kind !== 'diagonal';
}

/**
 * Whether rows carry their |x|^2 along: what a linear step makes of it needs no look at the row. Nobody knows it where a
 * step has several right rows, whose products with each other it would take.
 */
export function carriesNorms(spec: PairSpec): boolean {
  const { left, right, grouping, rule } = spec;
  const isAsked = left.kind === 'scalar' || right.kind === 'scalar' || isPerRow(rule);
  return isAsked && grouping === 1 && isLinear(spec, left) && isLinear(spec, right);
}
