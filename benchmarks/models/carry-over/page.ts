// The page of the results: a table a model and terms, and a table of what helped over all of them.

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

interface Row {
  readonly result: Result;
  readonly best: number;
  readonly spread: number;
  /** When the mean is as good as plain's best under the same optimizer and terms. */
  readonly plain: Moment | undefined;
  /** When it is as good as the target of the model. */
  readonly fixed: Moment | undefined;
}

/** An epoch, and the seconds of training until its end. */
interface Moment {
  readonly epoch: number;
  readonly seconds: number;
}

/** How far from the best of any plain arm the target of a model is. */
const SLACK: Readonly<Record<Subject['metric'], number>> = { rmse: 1.01, logloss: 1.05, 'ndcg@10': 0.95 };

const ARMS = Object.keys(OVERPARAMS);

export function page(documents: readonly Document[]): string {
  const parts = [
    '# What overparameterization does to each model',
    'Made by `node benchmarks/run.mjs benchmarks/models/carry-over/main.ts` from the documents in `benchmarks/results/`; do not edit by hand.',
    'Three seeds, each with a split of its own; means. Two targets, on data not trained on. "Plain\'s best" is what the plain model comes to at its best ' +
      'epoch under the same optimizer and terms. "The target" is one number a model: 1 % above the least RMSE of any plain arm, 5 % above the least log-loss, ' +
      '5 % below the best NDCG. For both the first epoch at which an arm is there, and the seconds of training until then, on a machine that did other work ' +
      'beside. `scalar-row-2` gives each row of every embedding table a factor of its own; ' +
      '`dense-2` multiplies every embedding table and every dense layer by a square matrix that starts at random. `paper` terms: one rate for all arms, ' +
      'those of the paper or of PyTorch. `tuned` terms: each arm at the best of a small grid of rates, chosen by a part of its training data.',
    helped(documents),
    summary(documents),
    ...documents.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** In how many of the combinations of terms and optimizers a product helped. */
function helped(documents: readonly Document[]): string {
  const lines = documents.flatMap((document) => {
    const pairs = (['paper', 'tuned'] as const).flatMap((terms) =>
      optimizersOf(document, terms).map((optimizer) => rowsOf(document, terms, optimizer)),
    );
    return ARMS.slice(1).flatMap((arm) => {
      const both = pairs.flatMap(([plain, ...products]) => {
        const product = products.find(({ result }) => result.arm === arm);
        return product === undefined ? [] : [{ plain: plain!, product }];
      });
      if (both.length === 0) return [];
      const count = (is: (pair: { plain: Row; product: Row }) => boolean) =>
        `${both.filter(is).length} of ${both.length}`;
      const sooner = (of: (at: Moment) => number, part: number) =>
        count(({ plain, product }) => product.plain !== undefined && of(product.plain) < part * of(plain.plain!));
      const isBetter = ({ plain, product }: { plain: Row; product: Row }) =>
        costOf(document, product.best) < costOf(document, plain.best);
      return `| ${[document.name, arm, sooner(({ epoch }) => epoch, 1), sooner(({ seconds }) => seconds, 0.9), count(isBetter), count(({ product }) => product.plain === undefined)].join(' | ')} |`;
    });
  });
  return [
    '## What helped\n',
    'Of seven combinations (five optimizers on paper terms, two on tuned ones):\n',
    "| model | product | at plain's best in fewer epochs | in a tenth less seconds | a better best | never there |",
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function summary(documents: readonly Document[]): string {
  const lines = documents.flatMap((document) =>
    (['paper', 'tuned'] as const).flatMap((terms) =>
      optimizersOf(document, terms).map((optimizer) => {
        const rows = rowsOf(document, terms, optimizer);
        const cells = ARMS.map((arm) => rows.find(({ result }) => result.arm === arm)).map((row) =>
          row ? cell(row) : '-',
        );
        return `| ${[document.name, terms, optimizer, ...cells].join(' | ')} |`;
      }),
    ),
  );
  return [
    "## Epochs to plain's best, and the best metric\n",
    `| model | terms | optimizer | ${ARMS.join(' | ')} |`,
    `|---|---|---|${ARMS.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n');
}

const cell = ({ plain, best: value }: Row) =>
  Number.isNaN(value) ? 'diverged' : `${plain?.epoch ?? 'never'} (${value.toFixed(4)})`;
const moment = (at: Moment | undefined) => (at === undefined ? 'never' : `${at.epoch} (${at.seconds.toFixed(2)} s)`);

function section(document: Document): string {
  const { name, about, metric, epochs, machine } = document;
  const rows = (['paper', 'tuned'] as const).flatMap((terms) =>
    optimizersOf(document, terms).flatMap((optimizer) => rowsOf(document, terms, optimizer)),
  );
  return [
    `## ${name}\n\n${about}; ${epochs} epochs (${machine.cpu}, Node ${machine.node}, commit ${machine.commit}). The target: ${targetOf(document).toFixed(4)}.\n`,
    `| terms | optimizer | arm | rate | best ${metric} | to plain's best | to the target |`,
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ result, best: value, spread, plain, fixed }) =>
        `| ${[
          result.terms,
          result.optimizer,
          result.arm,
          result.rate.toPrecision(3),
          Number.isNaN(value) ? 'diverged' : `${value.toFixed(4)} +- ${spread.toFixed(4)}`,
          moment(plain),
          moment(fixed),
        ].join(' | ')} |`,
    ),
  ].join('\n');
}

function optimizersOf({ results }: Document, terms: Result['terms']): string[] {
  return [...new Set(results.filter((result) => result.terms === terms).map(({ optimizer }) => optimizer))];
}

/** The arms of an optimizer, plain first. */
function rowsOf(document: Document, terms: Result['terms'], optimizer: string): Row[] {
  const own = document.results.filter((result) => result.terms === terms && result.optimizer === optimizer);
  const target = bestMean(document, own.find(({ arm }) => arm === 'plain')!.curves);
  return ARMS.flatMap((arm) => {
    const result = own.find((one) => one.arm === arm);
    if (result === undefined) return [];
    const bests = result.curves.map((curve) => best(document, curve));
    return {
      result,
      best: bestMean(document, result.curves),
      spread: deviation(bests),
      plain: reached(document, result, target),
      fixed: reached(document, result, targetOf(document)),
    };
  });
}

/** The first epoch whose mean is as good as a target. */
function reached(document: Document, { curves }: Result, target: number): Moment | undefined {
  const means = meanCurve(curves);
  const at = means.findIndex(({ metric }) => costOf(document, metric) <= costOf(document, target));
  return at < 0 ? undefined : { epoch: at + 1, seconds: means[at]!.seconds };
}

/** The target of a model. */
function targetOf(document: Document): number {
  const plain = document.results.filter(({ arm }) => arm === 'plain').map(({ curves }) => bestMean(document, curves));
  const best = plain.filter(Number.isFinite).reduce((a, b) => (costOf(document, a) <= costOf(document, b) ? a : b));
  return SLACK[document.metric] * best;
}

function bestMean(document: Document, curves: readonly Curve[]): number {
  const means = meanCurve(curves);
  return means.length > 0 ? best(document, means) : Number.NaN;
}

/** Empty where a seed diverged. */
function meanCurve(curves: readonly Curve[]): Curve {
  const epochs = Math.min(...curves.map((curve) => curve.length));
  const mean = (of: (curve: Curve) => number) => curves.reduce((sum, curve) => sum + of(curve), 0) / curves.length;
  return Array.from({ length: epochs }, (_, at) => ({
    metric: mean((curve) => curve[at]!.metric),
    seconds: mean((curve) => curve[at]!.seconds),
  }));
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
