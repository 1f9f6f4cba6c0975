// What the curves of a model's arms say: how good each arm gets, and how soon it is as good as something else. Seeds are
// compared one by one, as each has a split of its own; of the three the middle one is told.

import { spread } from '../../../src/evaluation/fits';
import { best, costOf, OVERPARAMS, type Result } from './arms';
import type { Curve, Subject } from './subjects';

/** What is kept of a model's runs. */
export interface Document {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly commit: string };
  readonly name: string;
  readonly about: string;
  readonly metric: Subject['metric'];
  readonly epochs: number;
  readonly results: readonly Result[];
}

/** An epoch, and the seconds of training until its end. */
export interface Moment {
  readonly epoch: number;
  readonly seconds: number;
}

/** An arm under one optimizer and terms. */
export interface Row {
  readonly result: Result;
  /** The metric at the best epoch of each seed; NaN where it diverged. */
  readonly bests: readonly number[];
  /** Of those; null where one of them diverged. */
  readonly best: { readonly mean: number; readonly std: number } | null;
  /** When it is as good as plain's best epoch under the same optimizer and terms; null: never, in most seeds. */
  readonly plain: Moment | null;
  /** When it is as good as the target of the model. */
  readonly fixed: Moment | null;
}

/** How far from the best of any plain arm the target of a model is. */
const SLACK: Readonly<Record<Subject['metric'], number>> = { rmse: 1.01, logloss: 1.05, 'ndcg@10': 0.95 };

export const ARMS = Object.keys(OVERPARAMS);

/** The rows of every optimizer of some terms, plain first in each. */
export function groupsOf(document: Document, terms: Result['terms']): Row[][] {
  const own = document.results.filter((result) => result.terms === terms);
  return [...new Set(own.map(({ optimizer }) => optimizer))].map((optimizer) =>
    rowsOf(
      document,
      own.filter((result) => result.optimizer === optimizer),
    ),
  );
}

function rowsOf(document: Document, results: readonly Result[]): Row[] {
  const plain = bestsOf(document, results.find(({ arm }) => arm === 'plain')!);
  const fixed = targetsOf(document);
  return ARMS.flatMap((arm) => {
    const result = results.find((one) => one.arm === arm);
    if (result === undefined) return [];
    const bests = bestsOf(document, result);
    return {
      result,
      bests,
      best: bests.every(Number.isFinite) ? spread(bests) : null,
      plain: reached(document, result, plain),
      fixed: reached(document, result, fixed),
    };
  });
}

/** The target of a model, for each seed. */
export function targetsOf(document: Document): number[] {
  const plain = document.results.filter(({ arm }) => arm === 'plain').map((result) => bestsOf(document, result));
  const better = (a: number, b: number) => (costOf(document, a) <= costOf(document, b) ? a : b);
  return plain[0]!.map(
    (_, seed) =>
      SLACK[document.metric] *
      plain
        .map((bests) => bests[seed]!)
        .filter(Number.isFinite)
        .reduce(better),
  );
}

/** The best metric of each seed; NaN where it diverged. */
function bestsOf(document: Document, { curves }: Result): number[] {
  return curves.map((curve) => (curve.length > 0 ? best(document, curve) : Number.NaN));
}

/** The middle one of the first epochs at which the seeds are as good as their targets. */
function reached(document: Document, { curves }: Result, targets: readonly number[]): Moment | null {
  const first = (curve: Curve, target: number): Moment | null => {
    const at = curve.findIndex(({ metric }) => costOf(document, metric) <= costOf(document, target));
    return at < 0 ? null : { epoch: at + 1, seconds: curve[at]!.seconds };
  };
  const moments = curves.map((curve, seed) => first(curve, targets[seed]!));
  return moments.sort((a, b) => (a?.epoch ?? Infinity) - (b?.epoch ?? Infinity))[curves.length >> 1]!;
}
