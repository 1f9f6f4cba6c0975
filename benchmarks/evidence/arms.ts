// The arms of the study, how each is tuned, and what is kept of it.

import { existsSync, readFileSync } from 'node:fs';
import {
  adadelta,
  adagrad,
  adam,
  ftrl,
  type GroupRates,
  linear,
  momentum,
  type OptimizerConfig,
  type ProductOptions,
  rmsprop,
  sgd,
} from 'opmf';
import type { Factor } from '../../src/optimizers/factor';
import { resolveOptimizer } from '../../src/optimizers/registry';

/** A finished arm, as a line of its file has it. */
export interface Line {
  readonly model: string;
  readonly set: string;
  readonly seed: number;
  readonly epochs: number;
  readonly optimizer: string;
  readonly product: string;
  readonly rate: number;
  readonly start: number;
  /** Steps that the rate of the last fit is below the one chosen, at which that fit diverged. */
  readonly lowered?: number;
  /** The cost at each cell of the window around the best, by rate and then by start; null where it diverged. */
  readonly cells: readonly (number | null)[];
  readonly trials: number;
  /** On the rows that took no part; null where it diverged. */
  readonly test: number | null;
  /** Of the processor, for the last fit. */
  readonly seconds: number;
  /** Of the clock, for the search and the last fit; lines of before are without. */
  readonly took?: number;
  /** Of a row, beside its plain values. */
  readonly bytes: number;
  readonly commit: string;
}

export const FOLDER = 'benchmarks/results/evidence';
export const BUDGETS = [1, 2, 4, 10];
export const SEEDS = [1, 2, 3];

/** The finished arms of a file. */
export function readLines(file: string): Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

type Rates = number | GroupRates;

/** The rules by name: the rate that the search begins at, and the rule at a rate. Rates fall to 0 along a line; FTRL's has its own fall. */
export const RULES: Readonly<Record<string, readonly [rate: number, at: (rate: Rates) => OptimizerConfig]>> = {
  sgd: [0.1, (rate) => sgd({ learningRate: linear(rate) })],
  momentum: [0.01, (rate) => momentum({ learningRate: linear(rate) })],
  adagrad: [0.1, (rate) => adagrad({ learningRate: linear(rate) })],
  'adagrad-row': [0.1, (rate) => adagrad({ learningRate: linear(rate), per: 'row' })],
  adadelta: [3, (rate) => adadelta({ learningRate: linear(rate) })],
  rmsprop: [0.003, (rate) => rmsprop({ learningRate: linear(rate) })],
  adam: [0.003, (rate) => adam({ learningRate: linear(rate) })],
  ftrl: [0.1, (rate) => ftrl({ learningRate: rate })],
};

/** The products by name, plain first: what the command line calls its arms. */
export const PRODUCTS: Readonly<Record<string, false | ProductOptions>> = {
  plain: false,
  'scalar-row-2': { kind: 'scalar', scope: 'row', depth: 2 },
  'scalar-row-3': { kind: 'scalar', scope: 'row', depth: 3 },
  'scalar-shared-2': { kind: 'scalar', scope: 'shared', depth: 2 },
  'diagonal-row-2': { kind: 'diagonal', scope: 'row', depth: 2 },
  'diagonal-shared-2': { kind: 'diagonal', scope: 'shared', depth: 2 },
  'scalar-shared-3': { kind: 'scalar', scope: 'shared', depth: 3 },
  'diagonal-row-3': { kind: 'diagonal', scope: 'row', depth: 3 },
  'diagonal-shared-3': { kind: 'diagonal', scope: 'shared', depth: 3 },
  'dense-2': { kind: 'dense', depth: 2 },
  'dense-3': { kind: 'dense', depth: 3 },
};

/** An arm that theory speaks for: a product, or plain, and rates as multiples of that of the embeddings. */
interface Variant {
  readonly product: string;
  /** Of biases, and of weights of first order. */
  readonly bias?: number;
  /** Of the maps of products. */
  readonly map?: number;
  /** The value that maps start at, instead of 1. */
  readonly init?: number;
}

/** The experiments' arms by name, plain ones too: what helps both is no win of products. */
export const VARIANTS: Readonly<Record<string, Variant>> = {
  'plain-bias-3': { product: 'plain', bias: 3 },
  'plain-bias-0.3': { product: 'plain', bias: 0.3 },
  'plain-bias-0.1': { product: 'plain', bias: 0.1 },
  'scalar-bias-3': { product: 'scalar-row-2', bias: 3 },
  'scalar-bias-0.3': { product: 'scalar-row-2', bias: 0.3 },
  'scalar-bias-0.1': { product: 'scalar-row-2', bias: 0.1 },
  'scalar-map-3': { product: 'scalar-row-2', map: 3 },
  'scalar-map-0.3': { product: 'scalar-row-2', map: 0.3 },
  'scalar-map-0.1': { product: 'scalar-row-2', map: 0.1 },
  'scalar-map-0.03': { product: 'scalar-row-2', map: 0.03 },
  'scalar-init-3': { product: 'scalar-row-2', init: 3 },
  'scalar-init-0.3': { product: 'scalar-row-2', init: 0.3 },
};

/** What an arm trains, and the rates that one rate makes. */
export function armOf(name: string): { overparam: false | ProductOptions; rates: (rate: number) => Rates } {
  const variant = VARIANTS[name];
  const overparam = PRODUCTS[variant?.product ?? name]!;
  if (variant === undefined) return { overparam, rates: (rate) => rate };
  const { bias, map, init } = variant;
  return {
    overparam: overparam === false || init === undefined ? overparam : { ...overparam, init },
    rates: (rate) => ({
      embedding: rate,
      ...(bias === undefined ? {} : { bias: rate * bias, linear: rate * bias }),
      ...(map === undefined ? {} : { map: rate * map }),
    }),
  };
}

/** Bytes that a row of a table costs while it is trained beside its plain values: its maps, and what the rule remembers of all. */
export function bytesOf(optimizer: string, product: string, rank: number): number {
  const { overparam } = armOf(product);
  const [, rule] = RULES[optimizer]!;
  const maps = overparam === false || overparam.scope !== 'row' ? 0 : overparam.depth! - 1;
  const cols = [rank, ...Array.from({ length: maps }, () => (overparam && overparam.kind === 'diagonal' ? rank : 1))];
  const slots = resolveOptimizer(rule(1)).slots;
  const numbers = slots.flatMap(({ shape }) =>
    cols.map((col) => (shape === 'element' ? col : shape === 'row' ? 1 : 0)),
  );
  return 4 * [...cols.slice(1), ...numbers].reduce((sum: number, count: Factor['cols']) => sum + count, 0);
}

/** A point of the search: both numbers in steps of the square root of 10. */
export interface Cell {
  readonly rate: number;
  readonly start: number;
}

const STEP = Math.sqrt(10);
export const numberAt = (from: number, steps: number) => Number((from * STEP ** steps).toPrecision(3));
const [RATES, STARTS] = [2, 1];
/** What is better by less is not: flat ends (a start that is smaller still) would be followed for ever. */
const LEAST_GAIN = 1e-4;

/** The cells that an arm is chosen from: two rates and one start to each side of a middle. */
export function windowOf({ rate, start }: Cell): Cell[] {
  const around = (middle: number, by: number) => Array.from({ length: 2 * by + 1 }, (_, at) => middle - by + at);
  return around(rate, RATES).flatMap((one) => around(start, STARTS).map((other) => ({ rate: one, start: other })));
}

/** A search: where it ended, the costs of the window around that, and the fits that it took. */
export interface Found {
  readonly cell: Cell;
  readonly costs: readonly number[];
  readonly trials: number;
}

/**
 * Moves a window of 15 cells until its best cell is its middle. So every arm is chosen from as many cells, no arm has its
 * best at an end, and what was tried on the way was worse. `first`: rates, in steps, of which the best is its first middle,
 * for costs that have more than one valley.
 */
export async function search(
  from: Cell,
  costAt: (cell: Cell) => Promise<number>,
  first: readonly number[] = [],
): Promise<Found> {
  const known = new Map<string, number>();
  const cost = async (cell: Cell) => {
    const key = `${cell.rate} ${cell.start}`;
    if (!known.has(key)) known.set(key, await costAt(cell));
    return known.get(key)!;
  };
  let middle = from;
  for (const rate of first) {
    const cell = { ...from, rate };
    if ((await cost(cell)) < (await cost(middle))) middle = cell;
  }
  for (;;) {
    const cells = windowOf(middle);
    const costs: number[] = [];
    for (const cell of cells) costs.push(await cost(cell));
    const at = await cost(middle);
    const least = Math.min(...costs);
    // All diverge: the rate is far too high.
    if (least === Infinity) middle = { ...middle, rate: middle.rate - 2 * RATES };
    else if (least < at * (1 - LEAST_GAIN) || at === Infinity) middle = cells[costs.indexOf(least)]!;
    else return { cell: middle, costs, trials: known.size };
  }
}
