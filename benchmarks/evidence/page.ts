// Writes docs/evidence.md and its charts from the finished arms of bench:evidence. Run: npm run docs:evidence

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { renderCurves } from '../../src/report/curves';
import { BUDGETS, FOLDER, type Line, PRODUCTS, RULES, readLines, SEEDS } from './arms';
import { costOf, SUBJECTS } from './subjects';

const PAGE = 'docs/evidence.md';
const CHARTS = 'docs/evidence';
/** Of the 15 cells of a window. */
const MIDDLE = 7;

/** An arm at a budget, over all seeds. */
interface Arm {
  readonly optimizer: string;
  readonly product: string;
  readonly epochs: number;
  readonly lines: readonly Line[];
  /** Costs: what it was chosen by, and what it comes to; Infinity where a seed diverged. */
  readonly validation: number;
  readonly test: number;
  readonly seconds: number;
}

/** The finished arms of a model on a set. */
interface Group {
  readonly model: string;
  readonly set: string;
  readonly lines: readonly Line[];
  readonly arms: readonly Arm[];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const least = <T>(list: readonly T[], of: (one: T) => number) =>
  list.reduce<T | undefined>((best, one) => (best === undefined || of(one) < of(best) ? one : best), undefined);
const percent = (change: number) => `${change < 0 ? '' : '+'}${(100 * change).toFixed(2)} %`;
const share = (part: number) => `${Math.round(100 * part)} %`;

const all = Object.entries(SUBJECTS).flatMap(([model, { sets }]) => sets.map((set) => groupOf(model, set)));
const run = all.filter(({ arms }) => arms.length > 0);

mkdirSync(CHARTS, { recursive: true });
writeFileSync(PAGE, page());
execFileSync('npx', ['biome', 'format', '--write', PAGE], { stdio: 'ignore' });

function groupOf(model: string, set: string): Group {
  const lines = readLines(`${FOLDER}/${model}-${set}.jsonl`);
  const cost = (value: number | null) => costOf(SUBJECTS[model]!, value);
  const arms = BUDGETS.flatMap((epochs) =>
    Object.keys(RULES).flatMap((optimizer) =>
      Object.keys(PRODUCTS).flatMap((product): Arm[] => {
        const own = lines.filter(
          (line) => line.epochs === epochs && line.optimizer === optimizer && line.product === product,
        );
        if (own.length < SEEDS.length) return [];
        const validation = mean(own.map(({ cells }) => cells[MIDDLE] ?? Infinity));
        const test = mean(own.map((line) => cost(line.test)));
        return [{ optimizer, product, epochs, lines: own, validation, test, seconds: mean(own.map((l) => l.seconds)) }];
      }),
    ),
  );
  return { model, set, lines, arms };
}

/** Two arms by their tests, seed by seed. */
function compared(product: Arm, plain: Arm) {
  const { model } = plain.lines[0]!;
  const costs = ({ lines }: Arm) =>
    SEEDS.map((seed) => costOf(SUBJECTS[model]!, lines.find((l) => l.seed === seed)!.test));
  const [own, other] = [costs(product), costs(plain)];
  const change = product.test / plain.test - 1;
  return {
    change,
    isAhead: own.every((cost, at) => cost < other[at]!),
    isBehind: own.every((cost, at) => cost > other[at]!),
  };
}

/** At each budget the best plain arm and the best product, each with the rule that its validation rows chose. */
function bests({ arms }: Group) {
  return BUDGETS.flatMap((epochs) => {
    const own = arms.filter((arm) => arm.epochs === epochs);
    const plain = least(
      own.filter(({ product }) => product === 'plain'),
      ({ validation }) => validation,
    );
    const product = least(
      own.filter((arm) => arm.product !== 'plain'),
      ({ validation }) => validation,
    );
    return plain === undefined || product === undefined
      ? []
      : [{ epochs, plain, product, ...compared(product, plain) }];
  });
}

/** Each product beside plain under the same rule at the same budget. */
function pairs({ arms }: Group) {
  return arms.flatMap((arm) => {
    const plain = arms.find(
      (one) => one.product === 'plain' && one.optimizer === arm.optimizer && one.epochs === arm.epochs,
    );
    return arm.product === 'plain' || plain === undefined ? [] : [{ arm, ...compared(arm, plain) }];
  });
}

function page(): string {
  const lines = run.flatMap((group) => group.lines);
  // By more than what the search calls better: the middle is chosen where all is flat.
  const edges = lines.filter(({ cells }) => cells.some((cost) => cost !== null && cost < cells[MIDDLE]! * (1 - 1e-4)));
  return [
    '# Where products win on fair terms',
    verdict(),
    `Made by \`npm run docs:evidence\` from what \`npm run bench:evidence\` has finished, a line for each arm in \`${FOLDER}\`; do not edit by hand.`,
    '## What has been run, and what not',
    notRun(),
    '## How',
    `Every arm (a rule of updates and a product, or plain tables) is tuned for itself, at each budget of epochs and for each of ${SEEDS.length} seeds: a window of five rates and three starts of the embeddings, both in steps of the square root of 10, moves until its best cell is its middle. So every arm is chosen from as many cells, and no best is at an end of its range: ${edges.length} of ${lines.length} (that a cell is better by less than .01 % does not count: some costs are flat in the start). A seed splits off a tenth of the rows to test and a tenth of the rest to tune by; starts, orders and draws have it too. The arm is then fitted to all but the test rows. Rates fall to 0 along a line within the budget, one rate for all groups of factors (a rate of its own for biases helps plain tables as well as products, and was given to neither); products start at init 1; penalty, rank and batches are the same for all. Seconds are the processor's for the last fit.`,
    `A part of it: \`npm run bench:evidence -- --only mf,ml-100k --budget-minutes 60\`; what is asked for is models, sets, rules, products and budgets (\`4-epochs\`), and a rerun goes on where the last one ended. All of it takes a night.`,
    ...run.map(section),
  ].join('\n\n');
}

/** The first paragraph. */
function verdict(): string {
  const total = run.flatMap(bests);
  const ahead = total.filter(({ isAhead }) => isAhead);
  const behind = total.filter(({ isBehind }) => isBehind);
  const models = [...new Set(run.map(({ model }) => model))];
  const cell = ({ plain, product, epochs, change }: (typeof total)[number]) => {
    const { model, set } = plain.lines[0]!;
    return `${model} on ${set} at ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} (${product.optimizer} ${product.product}, ${percent(change)} against ${plain.optimizer})`;
  };
  const wins =
    ahead.length === 0
      ? 'As far as measured, no product wins on fair terms'
      : `As far as measured, a product wins on fair terms in ${ahead.length} of ${total.length} cases: ${ahead.map(cell).join('; ')}`;
  const losses = behind.length === 0 ? '' : ` Plain wins in ${behind.length}: ${behind.map(cell).join('; ')}.`;
  return (
    `**${wins}** (both tuned alike, the rule chosen too, better on the test rows in all ${SEEDS.length} seeds; of two that are even, chance makes either look so in one of ${2 ** SEEDS.length}).${losses} In the others the seeds disagree. ` +
    `Under one and the same rule a product is ahead of plain in all seeds, and behind in all: ${run.map(underOneRule).join('; ')}. ` +
    `Measured so far: ${models.join(', ')}; the rest of the study has not been run.`
  );
}

/** How often products are ahead and behind with the same rule at the same budget. */
function underOneRule(group: Group): string {
  const all = pairs(group);
  const count = (is: (pair: (typeof all)[number]) => boolean) => all.filter(is).length;
  const [ahead, behind] = [count(({ isAhead }) => isAhead), count(({ isBehind }) => isBehind)];
  return `${group.model} on ${group.set} ${ahead} and ${behind} of ${all.length} (the middle change is ${percent(median(all.map(({ change }) => change)))})`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function notRun(): string {
  const rows = all.map(({ model, set, lines, arms }) => {
    const { without } = SUBJECTS[model]!;
    const possible = Object.keys(RULES)
      .flatMap((rule) => Object.keys(PRODUCTS).map((product) => `${rule} ${product}`))
      .filter((arm) => !without?.test(arm)).length;
    const names = (of: (arm: Arm) => string, own = arms) => [...new Set(own.map(of))].join(', ') || '-';
    const rules = BUDGETS.flatMap((epochs) => {
      const own = arms.filter((arm) => arm.epochs === epochs);
      return own.length === 0 ? [] : [`${epochs}: ${names(({ optimizer }) => optimizer, own)}`];
    });
    return [
      ...[model, set, rules.join('; ') || '-', names(({ product }) => product)],
      `${lines.length} of ${possible * BUDGETS.length * SEEDS.length}`,
    ];
  });
  return `${table(['model', 'set', 'rules by budget of epochs', 'products', 'arms finished'], rows)}\n\nWhat is not named in a row has not been run for all seeds; the best of all rules is the best of those that are named.`;
}

function section(group: Group): string {
  const { model, set, arms } = group;
  const { metric } = SUBJECTS[model]!;
  const value = (cost: number) => (cost === Infinity ? 'diverged' : costOf({ metric }, cost).toFixed(4));
  const budgets = BUDGETS.filter((epochs) => arms.some((arm) => arm.epochs === epochs));
  const products = Object.keys(PRODUCTS).filter((product) => arms.some((arm) => arm.product === product));
  const target = 1.01 * Math.min(...arms.map(({ test }) => test));
  const bestRows = bests(group).map(({ epochs, plain, product, change, isAhead, isBehind }) => [
    String(epochs),
    `${plain.optimizer} ${value(plain.test)}`,
    `${product.optimizer} ${product.product} ${value(product.test)}`,
    percent(change),
    isAhead ? 'product' : isBehind ? 'plain' : 'seeds disagree',
  ]);
  const rows = Object.keys(RULES).flatMap((optimizer) =>
    products.flatMap((product) => {
      const own = arms.filter((arm) => arm.optimizer === optimizer && arm.product === product);
      if (own.length === 0) return [];
      const there = own.find(({ test }) => test <= target);
      const lines = own.flatMap((arm) => arm.lines);
      return [
        [
          ...[optimizer, product],
          ...budgets.map((epochs) => {
            const arm = own.find((one) => one.epochs === epochs);
            return arm === undefined ? '-' : value(arm.test);
          }),
          there === undefined ? 'never' : `${there.epochs} (${there.seconds.toFixed(2)} s)`,
          share(within(group, lines, 0.01)),
          share(within(group, lines, 0.03)),
          String(lines[0]!.bytes),
          mean(lines.map(({ trials }) => trials)).toFixed(0),
        ],
      ];
    }),
  );
  return [
    `## ${model} on ${set}`,
    ...charts(group, budgets, products),
    `The best of all rules at each budget, ${metric} of the test rows, means of ${SEEDS.length} seeds:`,
    table(['epochs', 'plain', 'product', 'change', 'ahead in all seeds'], bestRows),
    `Every arm. The target is within 1 % of the best there is (${value(target)}); "within" is the part of the cells around an arm's best that come that near to the best of all arms at the same budget, a measure of how much a wrong rate or start costs; bytes are what a row takes while it is trained, beside its plain values; fits, what its search took.`,
    table(
      [
        ...['rule', 'product'],
        ...budgets.map((epochs) => `after ${epochs}`),
        'to the target',
        'within 1 %',
        'within 3 %',
        'bytes',
        'fits',
      ],
      rows,
    ),
  ].join('\n\n');
}

/** The part of the cells of some arms whose cost is within a part of the least that any arm has at its budget and seed. */
function within(group: Group, lines: readonly Line[], part: number): number {
  const shares = lines.map(({ epochs, seed, cells }) => {
    const known = group.lines.filter((line) => line.epochs === epochs && line.seed === seed);
    const best = Math.min(...known.map((line) => line.cells[MIDDLE] ?? Infinity));
    return cells.filter((cost) => cost !== null && cost <= best * (1 + part)).length / cells.length;
  });
  return mean(shares);
}

/** By budget, for each product: under the rule that its validation rows chose, and under SGD. */
function charts({ model, set, arms }: Group, budgets: readonly number[], products: readonly string[]): string[] {
  const { metric } = SUBJECTS[model]!;
  return (['best', 'sgd'] as const).flatMap((kind) => {
    const series = products.map((product) => ({
      name: product,
      points: budgets.flatMap((epochs): [number, number][] => {
        const own = arms.filter(
          (arm) => arm.product === product && arm.epochs === epochs && (kind === 'best' || arm.optimizer === kind),
        );
        const arm = least(own, ({ validation }) => validation);
        return arm === undefined ? [] : [[epochs, costOf({ metric }, arm.test)]];
      }),
    }));
    if (series.every(({ points }) => points.length === 0)) return [];
    const title = `${model} on ${set}, ${kind === 'best' ? 'the best rule of each' : 'SGD'}, tuned`;
    const name = `${model}-${set}-${kind}.svg`;
    writeFileSync(
      `${CHARTS}/${name}`,
      `${renderCurves({ title, xLabel: 'epochs', yLabel: `test ${metric}`, series })}\n`,
    );
    return [`![${title}: test ${metric} by epochs](evidence/${name})`];
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
