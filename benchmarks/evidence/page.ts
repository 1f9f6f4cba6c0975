// Writes docs/evidence.md and its charts from the finished arms of bench:evidence. Run: npm run docs:evidence

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { renderCurves } from '../../src/report/curves';
import { BUDGETS, FOLDER, type Line, PRODUCTS, RULES, readLines, SEEDS, VARIANTS } from './arms';
import { costOf, SUBJECTS, type Subject } from './subjects';

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
  /** Those of the experiments. */
  readonly variants: readonly Arm[];
}

const isPlain = ({ product }: Pick<Arm, 'product'>) => product.startsWith('plain');
const armName = ({ optimizer, product }: Arm) => (product === 'plain' ? optimizer : `${optimizer} ${product}`);
const shown = (metric: Subject['metric'], cost: number) =>
  cost === Infinity ? 'diverged' : costOf({ metric }, cost).toFixed(4);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const least = <T>(list: readonly T[], of: (one: T) => number) =>
  list.reduce<T | undefined>((best, one) => (best === undefined || of(one) < of(best) ? one : best), undefined);
const percent = (change: number) =>
  Number.isNaN(change) ? '-' : `${change < 0 ? '' : '+'}${(100 * change).toFixed(2)} %`;
const share = (part: number) => `${Math.round(100 * part)} %`;

const all = Object.entries(SUBJECTS).flatMap(([model, { sets }]) => sets.map((set) => groupOf(model, set)));
const run = all.filter(({ arms }) => arms.length > 0);

function groupOf(model: string, set: string): Group {
  const lines = readLines(`${FOLDER}/${model}-${set}.jsonl`);
  const cost = (value: number | null) => costOf(SUBJECTS[model]!, value);
  const armsOf = (names: readonly string[]) =>
    BUDGETS.flatMap((epochs) =>
      Object.keys(RULES).flatMap((optimizer) =>
        names.flatMap((product): Arm[] => {
          const own = lines.filter(
            (line) => line.epochs === epochs && line.optimizer === optimizer && line.product === product,
          );
          if (own.length < SEEDS.length) return [];
          const validation = mean(own.map(({ cells }) => cells[MIDDLE] ?? Infinity));
          const test = mean(own.map((line) => cost(line.test)));
          return [
            { optimizer, product, epochs, lines: own, validation, test, seconds: mean(own.map((l) => l.seconds)) },
          ];
        }),
      ),
    );
  return { model, set, lines, arms: armsOf(Object.keys(PRODUCTS)), variants: armsOf(Object.keys(VARIANTS)) };
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

/** A budget of a model on a set: the best plain arm and the best product, each with the rule that its validation rows chose. */
interface Case extends ReturnType<typeof compared> {
  readonly epochs: number;
  readonly plain: Arm;
  readonly product: Arm;
}

function casesOf(arms: readonly Arm[]): Case[] {
  return BUDGETS.flatMap((epochs) => {
    const best = (wanted: boolean) =>
      least(
        arms.filter((arm) => arm.epochs === epochs && isPlain(arm) === wanted),
        ({ validation }) => validation,
      );
    const [plain, product] = [best(true), best(false)];
    return plain === undefined || product === undefined
      ? []
      : [{ epochs, plain, product, ...compared(product, plain) }];
  });
}

/** Each product of some arms beside plain under the same rule at the same budget. */
function pairs(arms: readonly Arm[]) {
  return arms.flatMap((arm) => {
    const plain = arms.find(
      (one) => one.product === 'plain' && one.optimizer === arm.optimizer && one.epochs === arm.epochs,
    );
    return isPlain(arm) || plain === undefined ? [] : [{ arm, plain, ...compared(arm, plain) }];
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
    '## The best of plain and of products',
    overview(),
    '## Under one and the same rule',
    byRule(),
    ...theory(),
    '## What has been run, and what not',
    coverage(),
    '## How',
    `Every arm (a rule of updates and a product, or plain tables) is tuned for itself, at each budget of epochs and for each of ${SEEDS.length} seeds: a window of five rates and three starts of the embeddings, both in steps of the square root of 10, moves until its best cell is its middle. So every arm is chosen from as many cells. (For orders, where small rates learn popularity alone, plain arms look at six rates far apart first, and products begin where plain has ended; not so for NeuralCF, and for BPR with AdaGrad and Adam, whose lines are older.) **How often the best cell was on an edge: ${edges.length} of ${lines.length}** (that a cell is better by less than .01 % does not count: some costs are flat in the start). A seed splits off a tenth of the rows to test and a tenth of the rest to tune by; starts, orders and draws have it too. The arm is then fitted to all but the test rows. Rates fall to 0 along a line within the budget, one rate for all groups of factors but where an experiment says otherwise; products start at init 1; penalty, rank and batches are the same for all. Seconds are the processor's for the last fit. A set called a third, fifth or tenth is a fixed part of it: every n-th user, or rows drawn with seed 1.`,
    `A part of it: \`npm run bench:evidence -- --only mf,ml-100k --budget-minutes 60\`; what is asked for is models, sets, rules, products and budgets (\`4-epochs\`), and a rerun goes on where the last one ended. With \`--plan\` it says what is not done and how long that would take.`,
    '## Every arm',
    `Costs of the test rows, means of ${SEEDS.length} seeds. "To the target": the least budget that comes within 1 % of the best of its table. "Within": the part of the cells around an arm's best that come that near to the best of all arms at the same budget, a measure of how much a wrong rate or start costs. Bytes are what a row takes while it is trained, beside its plain values; fits, what its search took.`,
    ...run.map(section),
  ].join('\n\n');
}

const nameOf = ({ model, set }: Pick<Group, 'model' | 'set'>) => `${model} on ${set}`;

/** The first paragraph. */
function verdict(): string {
  const total = run.flatMap((group) => casesOf(group.arms).map((one) => ({ ...one, group })));
  const list = (is: (one: (typeof total)[number]) => boolean) =>
    run
      .flatMap((group) => {
        const own = total.filter((one) => one.group === group && is(one));
        const each = own.map(({ epochs, change }) => `${percent(change)} at ${epochs}`);
        return own.length === 0 ? [] : [`${nameOf(group)} (${each.join(', ')})`];
      })
      .join('; ') || 'nowhere';
  const count = (is: (one: (typeof total)[number]) => boolean) => total.filter(is).length;
  const [ahead, behind] = [count(({ isAhead }) => isAhead), count(({ isBehind }) => isBehind)];
  return [
    `**With everything tuned alike, the rule chosen too, a product is better than plain tables on rows that took no part in ${ahead} of ${total.length} cases, plain is better in ${behind}, and in ${total.length - ahead - behind} the seeds disagree; in the middle of all cases the product changes the result by ${percent(median(total.map(({ change }) => change)))}.** A case is a model, a set and a budget of epochs; better means in all ${SEEDS.length} seeds, which chance alone would give each side in about ${Math.round(total.length / 2 ** SEEDS.length)} of them. Products win: ${list(({ isAhead }) => isAhead)}. Plain wins: ${list(({ isBehind }) => isBehind)}. The change is of ${METRICS}, and the number after "at" the epochs of the budget.`,
    withVariants(),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const METRICS = 'the RMSE or log-loss, or of 1 / NDCG@10, so that less is better';

/** What of the cases with experiments is left when all their arms are chosen from. */
function withVariants(): string {
  const some = run.filter(({ variants }) => variants.length > 0);
  if (some.length === 0) return '';
  const cases = some.map((group) => {
    const each = casesOf([...group.arms, ...group.variants]).filter(({ epochs }) =>
      group.variants.some((arm) => arm.epochs === epochs),
    );
    return `${nameOf(group)} ${each.map((one) => `${percent(one.change)} at ${one.epochs} (${outcome(one)})`).join(', ')}`;
  });
  return `Chosen from the experiments' arms too (a rate of their own for biases, plain or not, and for the scalars of products), the best product is against the best plain: ${cases.join('; ')}.`;
}

const outcome = ({ isAhead, isBehind }: ReturnType<typeof compared>) =>
  isAhead ? 'product ahead' : isBehind ? 'plain ahead' : 'seeds disagree';

function overview(): string {
  const rows = run.flatMap((group) => {
    const { metric } = SUBJECTS[group.model]!;
    return casesOf(group.arms).map((one) => [
      ...[group.model, group.set, String(one.epochs), metric],
      ...[one.plain, one.product].map((arm) => `${shown(metric, arm.test)} ${armName(arm)}`),
      percent(one.change),
      one.isAhead ? '**product**' : one.isBehind ? 'plain' : '-',
    ]);
  });
  const head = ['model', 'set', 'epochs', 'metric', 'best plain', 'best product', 'change', 'ahead in all seeds'];
  return `${table(head, rows)}\n\nEach with the rule that its validation rows chose, of those that have been run (below); the change is of ${METRICS}.`;
}

/** What scalars a row change under a rule, over all models, sets and budgets that have both. */
function byRule(): string {
  const all = run.flatMap((group) => pairs(group.arms).map((pair) => ({ ...pair, group })));
  const rows = Object.keys(PRODUCTS).flatMap((product) =>
    Object.keys(RULES).flatMap((optimizer) => {
      const own = all.filter(({ arm }) => arm.product === product && arm.optimizer === optimizer);
      if (own.length < LEAST_PAIRS) return [];
      const near = (of: (pair: (typeof own)[number]) => Arm) =>
        share(mean(own.map((pair) => within(pair.group, of(pair).lines, 0.03))));
      const count = (is: (pair: (typeof own)[number]) => boolean) => own.filter(is).length;
      const [{ arm, plain }] = own as [(typeof own)[number]];
      return [
        [
          ...[product, optimizer],
          `${count(({ isAhead }) => isAhead)} / ${count(({ isBehind }) => isBehind)} / ${own.length}`,
          percent(median(own.map(({ change }) => change))),
          `${near((pair) => pair.plain)} / ${near((pair) => pair.arm)}`,
          `${plain.lines[0]!.bytes} / ${arm.lines[0]!.bytes}`,
        ],
      ];
    }),
  );
  const head = ['product', 'rule', 'ahead / behind / cases', 'middle change', 'cells within 3 %', 'bytes a row'];
  return `Products beside plain tables with the same rule, both tuned, over all models, sets and budgets that have both. Cells and bytes: plain / product; bytes are beside the plain values of a row of 16 (of NeuralCF, of 8).\n\n${table(head, rows)}`;
}

/** Fewer cases say nothing of a rule. */
const LEAST_PAIRS = 3;

/** The experiments, one table for each model and set. */
function theory(): string[] {
  const some = run.filter(({ variants }) => variants.length > 0);
  if (some.length === 0) return [];
  return [
    '## Looking for a win that theory predicts',
    THEORY,
    CAME_OF_IT,
    ...some.map((group) => {
      const { metric } = SUBJECTS[group.model]!;
      const both = [...group.arms, ...group.variants];
      const columns = [...new Set(group.variants.map(({ optimizer, epochs }) => `${optimizer} ${epochs}`))];
      const names = ['plain', 'scalar-row-2', ...Object.keys(VARIANTS)];
      const rows = names.flatMap((name) => {
        const own = both.filter(({ product }) => product === name);
        const values = columns.map((column) => {
          const isOfColumn = ({ optimizer, epochs }: Arm) => `${optimizer} ${epochs}` === column;
          const arm = own.find(isOfColumn);
          if (arm === undefined) return '-';
          const isLeast = both.every(
            (other) => !isOfColumn(other) || !names.includes(other.product) || other.test >= arm.test,
          );
          return isLeast ? `**${shown(metric, arm.test)}**` : shown(metric, arm.test);
        });
        return own.length === 0 ? [] : [[name, ...values]];
      });
      const head = ['arm', ...columns.map((column) => column.replace(/ (\d+)$/, ' after $1'))];
      return `**${nameOf(group)}**, ${metric}:\n\n${table(head, rows)}`;
    }),
  ];
}

const THEORY =
  'Each is an arm tuned as all others, on the sets and rules where it had the best prospects; the least of a column is bold. `bias-3`, `bias-0.3`, `bias-0.1`: biases and weights of first order learn at that part of the rate of the embeddings; a product of rows steps eta s^2 and so has a ratio of its own, which plain tables should be given as well before a gain is called one of products. `map-3` to `map-0.03`: the scalars learn at that multiple of the rate. `init-0.3`, `init-3`: the scalars start there, and the rows so that the product is the same; the nearer |s| is to |x|, the more balanced the start, where the step along a row is largest against that across it. Small starts and adaptive rules are part of every search. Not tried: a decay or a normalization of the scalars, products that grow while training, ranks found by depth.';

const CAME_OF_IT = `What came of it (as of November 2026, from the tables here):

- FM without a penalty, on categories of very different frequency (Frappe), under Adadelta: a scalar a row is ahead of every plain rule
  after one epoch and two, most with scalars that learn at .1 to .3 of the rate. Its two epochs end ahead of the four of plain
  tables that have the penalty of the defaults; with that penalty it gains a per cent. On Adult, where every category is frequent,
  there is no gain. The default of FM stays plain: it is made for ten epochs.
- MF under SGD, on larger data and in one pass too (ml-100k, ml-latest-small, a third of ml-1m): a product is ahead of plain tables, but
  by .4 % at most, and to one side or the other, where biases of plain tables have a third or a tenth of the rate of the embeddings.
- Starts of the scalars other than 1, and faster scalars, were not better by more than some tenths of a per cent but for FM.`;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function coverage(): string {
  const rows = run.map(({ model, set, lines, arms, variants }) => {
    const budgetsOf = new Map<string, number[]>();
    for (const epochs of BUDGETS) {
      const productsOf = new Map<string, string[]>();
      for (const product of Object.keys(PRODUCTS)) {
        const own = arms.filter((arm) => arm.epochs === epochs && arm.product === product);
        const rules = own.length === ruleCount(model) ? 'all rules' : own.map(({ optimizer }) => optimizer).join(', ');
        if (own.length > 0) productsOf.set(rules, [...(productsOf.get(rules) ?? []), product]);
      }
      for (const [rules, products] of productsOf) {
        const key = `${products.join(', ')} under ${rules}`;
        budgetsOf.set(key, [...(budgetsOf.get(key) ?? []), epochs]);
      }
    }
    const done = [...budgetsOf].map(([key, budgets]) => `${key} at ${budgets.join(', ')}`);
    const named = variants.length > 0 ? [...done, 'experiments'] : done;
    return [model, set, named.join('<br>') || 'no arm with all seeds', String(lines.length)];
  });
  const none = all.filter(({ lines }) => lines.length === 0).map(nameOf);
  const missing = none.length === 0 ? '' : ` Nothing at all of ${none.join('; ')}.`;
  return `${table(['model', 'set', 'finished with all seeds, at epochs', 'lines'], rows)}\n\nWhat is not named has not been run.${missing}`;
}

function ruleCount(model: string): number {
  const { without } = SUBJECTS[model]!;
  return Object.keys(RULES).filter((rule) => !without?.test(`${rule} plain`)).length;
}

function section(group: Group): string {
  const { model, arms } = group;
  const { metric } = SUBJECTS[model]!;
  const budgets = BUDGETS.filter((epochs) => arms.some((arm) => arm.epochs === epochs));
  const products = Object.keys(PRODUCTS).filter((product) => arms.some((arm) => arm.product === product));
  const target = 1.01 * Math.min(...arms.map(({ test }) => test));
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
            return arm === undefined ? '-' : shown(metric, arm.test);
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
  const head = [
    ...['rule', 'product'],
    ...budgets.map((epochs) => `after ${epochs}`),
    ...['to the target', 'within 1 %', 'within 3 %', 'bytes', 'fits'],
  ];
  return [
    `<details>\n<summary>${nameOf(group)}, ${metric}: ${arms.length} arms</summary>`,
    ...charts(group, budgets, products),
    table(head, rows),
    '</details>',
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

rmSync(CHARTS, { recursive: true, force: true });
mkdirSync(CHARTS, { recursive: true });
writeFileSync(PAGE, page());
execFileSync('npx', ['biome', 'format', '--write', PAGE], { stdio: 'ignore' });
