// Pages of one training and of a search for options: tables and curves, in the form of the report of a comparison.

import { VERSION } from '../core/version';
import type { Tuning } from '../evaluation/tune';
import type { EpochRecord } from '../training/fit';
import { renderPage, renderTable } from './comparison-report';
import { escapeMarkup, renderCurves } from './curves';

/** The page of a training: its losses and what was measured, by epoch. */
export function trainingReport(title: string, epochs: readonly EpochRecord[], options: object): string {
  const metrics = Object.keys(epochs[0]?.metrics ?? {}) as (keyof EpochRecord['metrics'])[];
  const columns: [string, (epoch: EpochRecord) => number | undefined][] = [
    ['training loss', ({ trainLoss }) => trainLoss],
    ['training RMSE', ({ trainRmse }) => trainRmse],
    ...metrics.map((name): [string, (epoch: EpochRecord) => number | undefined] => [
      `test ${name.toUpperCase()}`,
      ({ metrics: measured }) => measured[name],
    ]),
  ];
  const shown = columns.filter(([, measure]) => epochs.some((epoch) => measure(epoch) !== undefined));
  const charts = shown.map(([label, measure]) =>
    chart(label, 'epoch', [[label, epochs.map(({ epoch }) => epoch), epochs.map(measure)]]),
  );
  const rows = epochs.map((epoch) => [
    String(epoch.epoch),
    ...shown.map(([, measure]) => measure(epoch)?.toFixed(4) ?? ''),
    epoch.seconds.toFixed(2),
  ]);
  const table =
    rows.length === 0
      ? '<p>Solved at once, without epochs.</p>'
      : renderTable([['epoch', ...shown.map(([label]) => label), 'seconds'], ...rows]);
  return page(title, charts, table, options);
}

/** The page of a search: every fit, and the best so far. */
export function tuningReport(title: string, { trials, best, metric }: Tuning, isLessBetter: boolean): string {
  const scores = trials.map(({ score }) => score ?? undefined);
  let top: number | undefined;
  const tops = scores.map((score) => {
    if (score !== undefined && (top === undefined || (isLessBetter ? score < top : score > top))) top = score;
    return top;
  });
  const fits = trials.map((_, i) => i + 1);
  const rows = trials.map(({ trial, score, epochs, seconds, options }) => [
    ...[String(trial), score?.toFixed(4) ?? 'diverged', String(epochs ?? ''), seconds.toFixed(2)],
    JSON.stringify(options),
  ]);
  const charts = [
    chart(metric, 'fit', [
      [metric, fits, scores],
      ['best so far', fits, tops],
    ]),
  ];
  return page(title, charts, renderTable([['trial', metric, 'epochs', 'seconds', 'options'], ...rows]), best.options);
}

type Line = readonly [name: string, xs: readonly number[], ys: readonly (number | undefined)[]];

function chart(label: string, xLabel: string, lines: readonly Line[]): string {
  const series = lines.map(([name, xs, ys]) => ({ name, points: xs.map((x, i) => [x, ys[i] ?? Number.NaN] as const) }));
  return renderCurves({ title: label, xLabel, yLabel: label, series });
}

function page(title: string, charts: readonly string[], table: string, options: object): string {
  const content = [
    `<div class="charts">\n${charts.join('\n')}\n</div>`,
    table,
    `<h2>Options</h2>\n<pre>${escapeMarkup(JSON.stringify(options, null, 2))}</pre>`,
    `<p>Made by opmf ${VERSION}.</p>`,
  ];
  return renderPage(title, content.join('\n'));
}
