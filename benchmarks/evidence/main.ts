// Where do products of factors win on fair terms? Every arm (a rule and a product) of every model, set, budget of epochs and
// seed is tuned by a part of the training rows and judged on rows that took no part. A finished arm is a line of a file in
// benchmarks/results/evidence; a rerun goes on with those that are not there. What is asked for is models, sets, rules,
// products and budgets (4-epochs) by their names.
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

/** Names of one kind that are asked for, or all of that kind. */
function chosen(names: readonly string[], asked: readonly string[]): readonly string[] {
  const some = names.filter((name) => asked.includes(name));
  return some.length > 0 ? some : names;
}

async function run(only: readonly string[], minutes: number): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const { commit } = machine();
  const asked = ARMS.filter((name) => only.includes(name));
  const products = asked.length > 0 ? asked : Object.keys(PRODUCTS);
  mkdirSync(FOLDER, { recursive: true });
  for (const model of chosen(Object.keys(SUBJECTS), only)) {
    const subject = SUBJECTS[model]!;
    const sets = subject.sets.filter((set) => chosen(ALL_SETS, only).includes(set));
    for (const seed of SEEDS) {
      for (const set of sets) {
        const file = `${FOLDER}/${model}-${set}.jsonl`;
        const done = readLines(file);
        const rows = await rowsOf(set, seed);
        for (const optimizer of chosen(Object.keys(RULES), only)) {
          // The search of an arm begins where that of the plain one, or of the smaller budget, has ended.
          let from: Cell = { rate: 0, start: 0 };
          for (const epochs of chosen(BUDGETS.map(nameOf), only).map(Number.parseFloat)) {
            for (const product of products) {
              if (subject.without?.test(`${optimizer} ${product}`)) continue;
              const key = { model, set, seed, epochs, optimizer, product };
              if (done.some((line) => Object.entries(key).every(([name, value]) => line[name as 'set'] === value)))
                continue;
              if (performance.now() > until) return;
              const [line, cell] = await runArm(subject, key, rows, from, commit);
              if (product === 'plain') from = cell;
              appendFileSync(file, `${JSON.stringify(line, round)}\n`);
              console.log(
                `${Object.values(key).join(' ')}: ${line.test} at ${line.rate}, ${line.start}; ${line.trials} fits`,
              );
            }
          }
        }
      }
    }
  }
}

type Key = Pick<Line, 'model' | 'set' | 'seed' | 'epochs' | 'optimizer' | 'product'>;

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
  const { cell, costs, trials } = await search(from, async (one) => costOf(subject, (await fit(one, tuning)).value));
  const { value, seconds } = await fit(cell, final);
  const took = (performance.now() - begun) / 1000;
  const bytes = bytesOf(key.optimizer, key.product, subject.rank);
  const cells = costs.map((cost) => (Number.isFinite(cost) ? cost : null));
  return [{ ...key, ...at(cell), cells, trials, test: value, seconds, took, bytes, commit }, cell];
}

/** What the command line calls its arms; the experiments' are run when they are asked for by name. */
const ARMS = [...Object.keys(PRODUCTS), ...Object.keys(VARIANTS)];
const nameOf = (epochs: number) => `${epochs}-epochs`;
const ALL_SETS = [...new Set(Object.values(SUBJECTS).flatMap(({ sets }) => sets))];

function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, 'budget-minutes': { type: 'string', default: 'Infinity' } },
});
const only = values.only.split(',').filter((name) => name !== '');
const known = [...Object.keys(SUBJECTS), ...ALL_SETS, ...Object.keys(RULES), ...ARMS, ...BUDGETS.map(nameOf)];
const unknown = only.find((name) => !known.includes(name));
if (unknown !== undefined) throw new Error(`--only: ${unknown} is none of ${known.join(', ')}`);
await run(only, Number(values['budget-minutes']));
