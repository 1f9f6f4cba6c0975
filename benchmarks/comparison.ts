// The main job on real ratings: runs `opmf compare` on four sets and writes docs/comparison.md from the documents.
// Run: npm run build && npm run bench:comparison [-- SET,...]; with `-- render` only the page is made again.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Comparison } from 'opmf';
import { LearningRates } from 'opmf/models';
import { armName } from '../src/report/comparison-rows';
import { machine } from './machine';

const SETS = ['ml-100k', 'filmtrust', 'ciaodvd', 'ml-1m'];
const TERMS = ['paper', 'matched', 'tuned'] as const;
/** Tuned terms cost 13 times the others; they run on the set that the others are read on first. */
const TUNED_SETS = ['ml-100k'];
const ARMS = 'scalar-row-2,scalar-row-3,dense-2';

const flags = (set: string, terms: string) =>
  `compare ${set} --terms ${terms} --rank 15 --epochs 15 --overparams ${terms === 'tuned' ? 'scalar-row-2' : ARMS} --seeds 3 --json`;
const fileOf = (set: string, terms: string) => `benchmarks/results/compare-${set}-${terms}.json`;

const asked = process.argv[2];
if (asked !== 'render') {
  for (const set of asked?.split(',') ?? SETS) {
    for (const terms of process.argv[3]?.split(',') ?? ['paper']) {
      const json = execFileSync('node', ['dist/cli.js', ...flags(set, terms).split(' ')], { maxBuffer: 2 ** 28 });
      const document = { ...(JSON.parse(json.toString()) as Comparison), commit: machine().commit };
      writeFileSync(fileOf(set, terms), `${JSON.stringify(document, round)}\n`);
    }
  }
}
writeFileSync('docs/comparison.md', page());

/** Six digits are more than the spread over the seeds supports. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

function page(): string {
  const parts = [
    '# Plain against overparameterized, on real ratings',
    'Made by `npm run bench:comparison` from the JSON documents in `benchmarks/results/`; do not edit by hand.',
    'Three seeds, each with its own 90/10 split and start; RMSE on the test part, mean and standard deviation over the seeds, predictions not clipped. ' +
      "`epochs` is the first epoch at which the arm's mean is at or below plain's best mean test RMSE under the same optimizer; " +
      "`training` the first at or below plain's last mean training loss. What the terms mean, and what these tables do not show: [method.md](method.md).",
  ];
  for (const terms of TERMS) {
    for (const set of terms === 'tuned' ? TUNED_SETS : SETS) {
      if (existsSync(fileOf(set, terms))) parts.push(...section(set, terms));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function section(set: string, terms: string): string[] {
  const document = JSON.parse(readFileSync(fileOf(set, terms), 'utf8')) as Comparison & { commit: string };
  const { machine: where, dataset, summary } = document;
  const test = summary.filter(({ target }) => target.on === 'testRmse');
  const train = summary.filter(({ target }) => target.on === 'trainLoss');
  const rows = test.map((entry, at) => row(entry, train[at]!, document));
  return [
    `## ${set}, ${terms} terms`,
    `\`npx opmf ${flags(set, terms)}\` (${dataset.train} training and ${dataset.test} test ratings; ${where.cpu}, ${where.cores} cores, Node ${where.node}, commit ${document.commit})`,
    [
      '| optimizer | arm | rate, start, penalty | test RMSE after 1 | after 15 | epochs | seconds | training loss after 15 | training |',
      '|---|---|---|---|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  ];
}

type Summary = Comparison['summary'][number];

function row(test: Summary, train: Summary, { runs }: Comparison): string {
  const key = JSON.stringify([test.optimizer, test.overparam, test.matches]);
  const own = runs.filter((run) => JSON.stringify([run.optimizer, run.overparam, run.matches]) === key);
  const first = own.map(({ epochs }) => epochs[0]?.testRmse ?? Number.NaN);
  const rate = own[0]!.learningRate;
  const twin = test.matches === undefined ? '' : ` (twin of ${armName(test.matches)})`;
  return `| ${[
    test.optimizer,
    armName(test.overparam) + twin,
    `${new LearningRates(rate).at(0).toPrecision(3)}, ${own[0]!.initScale ?? 1}, ${own[0]!.regularization ?? 0.02}`,
    number(first.reduce((sum, value) => sum + value, 0) / first.length),
    `${number(test.testRmse.mean)} +- ${number(test.testRmse.std)}`,
    test.epochsToTarget ?? 'never',
    test.secondsToTarget?.toFixed(2) ?? '',
    number(train.trainLoss.mean),
    train.epochsToTarget ?? 'never',
  ].join(' | ')} |`;
}

function number(value: number | null): string {
  return value === null ? 'diverged' : value.toFixed(4);
}
