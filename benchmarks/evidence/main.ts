// Where do products of factors win on fair terms? Every arm (a rule and a product) of every model, set, budget of epochs and
// seed is tuned by a part of the training rows and judged on rows that took no part. A finished arm is a line of a file in
// benchmarks/results/evidence; a rerun goes on with those that are not there. What is asked for is models, sets, rules,
// products and budgets (4-epochs) by their names; --plan prints what is not done and how long it would take.
// Run: npm run bench:evidence -- --only mf,filmtrust,sgd,plain --budget-minutes 10

import { appendFileSync, mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DivergenceError } from 'opmf';
import { machine } from '../machine';
import {
  armOf,
  BUDGETS,
  bytesOf,
  type Cell,
  FOLDER,
  type Line,
  numberAt,
  PRODUCTS,
  RULES,
  readLines,
  SEEDS,
  search,
  VARIANTS,
} from './arms';
import { costOf, measure, rowsOf, SUBJECTS, type Subject } from './subjects';

/** The start that the search begins at. */
const START = 0.03;
/** Where it begins. */
const FIRST: Cell = { rate: 0, start: 0 };
/** Orders have two valleys: that of popularity alone, at small rates. */
const SCAN = [-4, -2, 2, 4, 6, 8];
/** Steps that the rate of the last fit may be below the one chosen. */
const MOST_LOWERED = 2;

/** Names of one kind that are asked for, or all of that kind. */
function chosen(names: readonly string[], asked: readonly string[]): readonly string[] {
  const some = names.filter((name) => asked.includes(name));
  return some.length > 0 ? some : names;
}

/** What is to be done of a model on a set. */
interface Job {
  readonly model: string;
  readonly set: string;
  readonly file: string;
  /** Not yet in the file, plain arms and small budgets first, for their searches begin those of the others. */
  readonly arms: readonly Key[];
}

function jobs(only: readonly string[]): Job[] {
  const asked = ARMS.filter((name) => only.includes(name));
  const products = asked.length > 0 ? asked : Object.keys(PRODUCTS);
  return chosen(Object.keys(SUBJECTS), only).flatMap((model) => {
    const { sets, without } = SUBJECTS[model]!;
    const own = sets.filter((set) => chosen(ALL_SETS, only).includes(set));
    return own.map((set): Job => {
      const file = `${FOLDER}/${model}-${set}.jsonl`;
      const done = new Set(readLines(file).map(keyOf));
      const arms = SEEDS.flatMap((seed) =>
        chosen(Object.keys(RULES), only).flatMap((optimizer) =>
          chosen(BUDGETS.map(nameOf), only).flatMap((budget) =>
            products.map((product) => ({ model, set, seed, epochs: Number.parseFloat(budget), optimizer, product })),
          ),
        ),
      );
      const isMissing = (arm: Key) => !without?.test(`${arm.optimizer} ${arm.product}`) && !done.has(keyOf(arm));
      return { model, set, file, arms: arms.filter(isMissing) };
    });
  });
}

async function run(only: readonly string[], minutes: number): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const { commit } = machine();
  mkdirSync(FOLDER, { recursive: true });
  let from = FIRST;
  for (const { model, set, file, arms } of jobs(only)) {
    for (const seed of SEEDS) {
      const own = arms.filter((arm) => arm.seed === seed);
      if (own.length === 0) continue;
      const rows = await rowsOf(set, seed);
      for (const [at, key] of own.entries()) {
        if (performance.now() > until) return;
        // The search of an arm begins where that of the plain one before it has ended.
        if (key.optimizer !== own[at - 1]?.optimizer) from = FIRST;
        const [line, cell] = await runArm(SUBJECTS[model]!, key, rows, from, commit);
        if (key.product === 'plain') from = cell;
        appendFileSync(file, `${JSON.stringify(line, round)}\n`);
        console.log(`${keyOf(key)}: ${line.test} at ${line.rate}, ${line.start}; ${line.trials} fits`);
      }
    }
  }
}

/** Prints what is not done and how long that would take: as what is done took, or as many of the fits that it times. */
async function plan(only: readonly string[]): Promise<void> {
  let total = 0;
  for (const { model, set, file, arms } of jobs(only)) {
    if (arms.length === 0) continue;
    const took = readLines(file).filter((line) => line.took !== undefined);
    let fit: readonly [whole: number, training: number] | undefined;
    let seconds = 0;
    for (const { epochs } of arms) {
      const same = took.filter((line) => line.epochs === epochs);
      if (same.length > 0) {
        seconds += same.reduce((sum, line) => sum + line.took!, 0) / same.length;
        continue;
      }
      fit ??= await timed(model, set);
      seconds += FITS * (fit[0] + fit[1] * (epochs - 1));
    }
    total += seconds;
    console.log(`${model} on ${set}: ${arms.length} arms, ${(seconds / 60).toFixed(1)} min`);
  }
  console.log(`all: ${(total / 3600).toFixed(1)} h`);
}

/** What a search takes, in the middle. */
const FITS = 21;

/** Seconds of a plain fit of one epoch with what measures it, and of its training alone. */
async function timed(model: string, set: string): Promise<[number, number]> {
  const { tuning } = await rowsOf(set, 1);
  const [rate, rule] = RULES.adam!;
  const setting = { optimizer: rule(rate), overparam: false as const, initScale: START, epochs: 1, seed: 1 };
  const begun = performance.now();
  const { seconds } = await measure(SUBJECTS[model]!, setting, tuning);
  return [(performance.now() - begun) / 1000, seconds];
}

type Key = Pick<Line, 'model' | 'set' | 'seed' | 'epochs' | 'optimizer' | 'product'>;
const keyOf = ({ model, set, seed, epochs, optimizer, product }: Key) =>
  `${model} ${set} ${seed} ${epochs} ${optimizer} ${product}`;

async function runArm(
  subject: Subject,
  key: Key,
  { tuning, final }: Awaited<ReturnType<typeof rowsOf>>,
  from: Cell,
  commit: string,
): Promise<[Line, Cell]> {
  const begun = performance.now();
  const [firstRate, rule] = RULES[key.optimizer]!;
  const { overparam, rates } = armOf(key.product);
  const at = ({ rate, start }: Cell) => ({ rate: numberAt(firstRate, rate), start: numberAt(START, start) });
  const fit = async (cell: Cell, parts: typeof final) => {
    const { rate, start } = at(cell);
    const { epochs, seed } = key;
    const setting = { optimizer: rule(rates(rate)), overparam, initScale: start, epochs, seed };
    try {
      return await measure(subject, setting, parts);
    } catch (error) {
      if (error instanceof DivergenceError) return { value: null, seconds: 0 };
      throw error;
    }
  };
  const costAt = async (one: Cell) => costOf(subject, (await fit(one, tuning)).value);
  const { cell, costs, trials } = await search(
    from,
    costAt,
    subject.metric === 'ndcg@10' && from === FIRST ? SCAN : [],
  );
  // It has more rows than the rate was chosen by, and that may be too many where the best rate is next to those that diverge.
  let last = cell;
  let { value, seconds } = await fit(last, final);
  while (value === null && last.rate > cell.rate - MOST_LOWERED) {
    last = { ...last, rate: last.rate - 1 };
    ({ value, seconds } = await fit(last, final));
  }
  const took = (performance.now() - begun) / 1000;
  const bytes = bytesOf(key.optimizer, key.product, subject.rank);
  const cells = costs.map((cost) => (Number.isFinite(cost) ? cost : null));
  const lowered = cell.rate - last.rate;
  return [
    {
      ...key,
      ...at(last),
      ...(lowered > 0 ? { lowered } : {}),
      cells,
      trials,
      test: value,
      seconds,
      took,
      bytes,
      commit,
    },
    cell,
  ];
}

/** What the command line calls its arms; the experiments' are run when they are asked for by name. */
const ARMS = [...Object.keys(PRODUCTS), ...Object.keys(VARIANTS)];
const nameOf = (epochs: number) => `${epochs}-epochs`;
const ALL_SETS = [...new Set(Object.values(SUBJECTS).flatMap(({ sets }) => sets))];

function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'budget-minutes': { type: 'string', default: 'Infinity' },
    plan: { type: 'boolean', default: false },
  },
});
const only = values.only.split(',').filter((name) => name !== '');
const known = [...Object.keys(SUBJECTS), ...ALL_SETS, ...Object.keys(RULES), ...ARMS, ...BUDGETS.map(nameOf)];
const unknown = only.find((name) => !known.includes(name));
if (unknown !== undefined) throw new Error(`--only: ${unknown} is none of ${known.join(', ')}`);
await (values.plan ? plan(only) : run(only, Number(values['budget-minutes'])));
