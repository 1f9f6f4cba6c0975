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
  /** The first epoch at which the mean is as good as plain's best; undefined where none is. */
  readonly reached: number | undefined;
  readonly seconds: number | undefined;
}

const ARMS = Object.keys(OVERPARAMS);

export function page(documents: readonly Document[]): string {
  const parts = [
    '# What overparameterization does to each model',
    'Made by `node benchmarks/run.mjs benchmarks/models/carry-over/main.ts` from the documents in `benchmarks/results/`; do not edit by hand.',
    'The target is the best mean, over three seeds, that plain comes to on data not trained on, under the same optimizer and terms; `epochs` is the first ' +
      'epoch at which an arm is there, `seconds` its training time until then. `scalar-row-2` gives each row of every embedding table a factor of its own; ' +
      '`dense-2` multiplies every embedding table and every dense layer by a square matrix that starts at random. `paper` terms: one rate for all arms, ' +
      'those of the paper or of PyTorch. `tuned` terms: each arm at the best of a small grid of rates, chosen by a part of its training data.',
    summary(documents),
    ...documents.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
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
    `## Epochs to the target, and the best metric\n`,
    `| model | terms | optimizer | ${ARMS.join(' | ')} |`,
    `|---|---|---|${ARMS.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n');
}

const cell = ({ reached, best: value }: Row) => `${reached ?? 'never'} (${value.toFixed(4)})`;

function section(document: Document): string {
  const { name, about, metric, epochs, machine } = document;
  const rows = (['paper', 'tuned'] as const).flatMap((terms) =>
    optimizersOf(document, terms).flatMap((optimizer) => rowsOf(document, terms, optimizer)),
  );
  return [
    `## ${name}\n\n${about}; ${epochs} epochs (${machine.cpu}, Node ${machine.node}, commit ${machine.commit}).\n`,
    `| terms | optimizer | arm | rate | best ${metric} | epochs | seconds |`,
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ result, best: value, spread, reached, seconds }) =>
        `| ${[
          result.terms,
          result.optimizer,
          result.arm,
          result.rate.toPrecision(3),
          `${value.toFixed(4)} +- ${spread.toFixed(4)}`,
          reached ?? 'never',
          seconds?.toFixed(2) ?? '',
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
    const means = meanCurve(result.curves);
    const at = means.findIndex(({ metric }) => costOf(document, metric) <= costOf(document, target));
    const bests = result.curves.map((curve) => best(document, curve));
    return {
      result,
      best: bestMean(document, result.curves),
      spread: deviation(bests),
      reached: at < 0 ? undefined : at + 1,
      seconds: means[at]?.seconds,
    };
  });
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
