// What tune draws options from: ranges and lists of values by the dotted names of options (`optimizer.learningRate`), and
// the default space of each kind of recommender: the options that matter most, around their defaults.

import { exponential, naturalLog } from '../core/elementary';
import { OptionError } from '../core/errors';
import { boolean, field, number, oneOf, plain, readOptions, show } from '../core/options';
import { isPlain } from '../core/plain';
import type { Stream } from '../core/random';
import type { RecommenderName } from '../recommenders/registry';

/** Numbers between two bounds, drawn evenly or, on a log scale, evenly by their logarithm. */
export type SearchRange = Exclude<SearchSpace[string], readonly unknown[]>;

/** Options by dotted name: a range of numbers, or a list of values of any kind to choose from. */
export type SearchSpace = Readonly<
  Record<
    string,
    | {
        readonly min: number;
        readonly max: number;
        /** @defaultValue 'linear' */
        readonly scale?: 'linear' | 'log' | undefined;
        /** Whole numbers, bounds included. @defaultValue false */
        readonly integer?: boolean | undefined;
      }
    | readonly unknown[]
  >
>;

/** Draws the value of one option. */
type Draw = (stream: Stream) => unknown;

/** A space once read. Each option has draws of its own: another option more or less changes no other's. */
export class Space {
  private readonly draws: ReadonlyMap<string, Draw>;
  /** Whole options of one value: the same in every trial. Of a part the rest is drawn, or the recommender's own. */
  private readonly fixed: Readonly<Record<string, unknown>>;

  /** @throws OptionError where it is not one; an empty one `mayBeEmpty` */
  constructor(space: SearchSpace, mayBeEmpty = false) {
    const wanted = "an object such as { rank: [16, 32], regularization: { min: .01, max: 1, scale: 'log' } }";
    const own = Object.entries(plain(space, 'space', wanted, 'tune') as SearchSpace);
    if (own.length === 0 && !mayBeEmpty)
      throw new OptionError('space', space, `tune: space is ${show(space)}; want ${wanted}`);
    // The whole before its parts: `optimizer` is drawn before `optimizer.learningRate` is put into it.
    const depth = (name: string) => name.split('.').length;
    own.sort(([a], [b]) => depth(a) - depth(b));
    this.draws = new Map(own.map(([name, range]) => [name, drawOf(`space.${name}`, range)]));
    this.fixed = Object.fromEntries(
      own.flatMap(([name, range]) =>
        Array.isArray(range) && range.length === 1 && !name.includes('.') ? [[name, range[0]]] : [],
      ),
    );
  }

  /** How many options are drawn. */
  get size(): number {
    return this.draws.size;
  }

  /** The options of a trial that are not searched: those of `base`, and the values that are the same in every trial. */
  usual(base: object): Record<string, unknown> {
    return { ...base, ...this.fixed };
  }

  /** The options of a trial: those of `base`, and one value of each of the space. */
  sample(stream: Stream, base: object): Record<string, unknown> {
    let options: Record<string, unknown> = { ...base };
    for (const [name, draw] of this.draws) options = assign(options, name, name.split('.'), draw(stream.fork(name)));
    return options;
  }
}

function drawOf(name: string, range: SearchRange | readonly unknown[]): Draw {
  if (Array.isArray(range)) {
    if (range.length === 0)
      throw new OptionError(name, range, `tune: ${name} is an empty list; want values to choose from`);
    return (stream) => range[stream.below(range.length)];
  }
  const read = readOptions(
    'tune',
    range,
    {
      min: field<number | undefined>(number(), undefined),
      max: field<number | undefined>(number(), undefined),
      scale: field(oneOf('linear', 'log'), 'linear'),
      integer: field(boolean, false),
    },
    `${name}.`,
  );
  const { min = Number.NaN, max = Number.NaN, scale, integer } = read;
  const isLog = scale === 'log';
  if (!(min <= max) || (isLog && min <= 0) || (integer && !(Number.isInteger(min) && Number.isInteger(max))))
    throw new OptionError(
      name,
      range,
      `tune: ${name} is ${show(range)}; want min <= max${isLog ? ', both above 0' : ''}${integer ? ', both whole' : ''}`,
    );
  // Whole numbers: each has the part of the range that rounds down to it.
  const top = integer ? max + 1 : max;
  const within = (value: number) => Math.min(Math.max(integer ? Math.floor(value) : value, min), max);
  if (!isLog) return (stream) => within(min + stream.uniform() * (top - min));
  const [low, high] = [naturalLog(min), naturalLog(top)];
  return (stream) => within(exponential(low + stream.uniform() * (high - low)));
}

/**
 * A copy of nested options with one of them set; `full` is its dotted name.
 * @throws OptionError where what it is to be a part of has no parts: they would be lost
 */
function assign(
  options: object,
  full: string,
  [name, ...path]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const held = Object.hasOwn(options, name!) ? (options as Record<string, unknown>)[name!] : undefined;
  // An optimizer by its name alone is the same as a configuration with that name.
  const whole = typeof held === 'string' && /optimizer$/i.test(name!) ? { name: held } : held;
  const inner = whole === undefined ? {} : whole;
  if (path.length > 0 && !isPlain(inner)) {
    throw new OptionError(
      `space.${full}`,
      held,
      `tune: space.${full} is a part of '${name}', which is ${show(held)} and has no parts; write '${name}' as an object`,
    );
  }
  // defineProperty: '__proto__' is a name like any other, and refused by whoever reads the options.
  return Object.defineProperty({ ...options }, name!, {
    value: path.length === 0 ? value : assign(inner as object, full, path, value),
    enumerable: true,
    configurable: true,
    writable: true,
  }) as Record<string, unknown>;
}

const log = (min: number, max: number): SearchRange => ({ min, max, scale: 'log' });

const RATINGS: SearchSpace = {
  rank: [16, 32, 64],
  epochs: [10, 20],
  initScale: log(0.01, 0.1),
  'regularization.embedding': log(0.05, 0.6),
};

const ADAM: SearchSpace = { 'optimizer.name': ['adam'], 'optimizer.learningRate': log(0.0005, 0.01) };

const ORDERS: SearchSpace = {
  loss: ['softmax'],
  rank: [16, 32, 64],
  epochs: [10, 20, 40],
  'regularization.embedding': log(0.001, 0.1),
  ...ADAM,
};

const NONE: SearchSpace = {};

/** What the values of some data are: all equal, 0 and 1, or of any other kind. */
export type ValueKind = 'equal' | 'labels' | 'ratings';

const factorization = (values: ValueKind) => (values === 'equal' ? ORDERS : RATINGS);

/** The labels, the numbers or what users have, as the values are. */
function features(values: ValueKind, own: SearchSpace): SearchSpace {
  const task: SearchSpace =
    values === 'ratings'
      ? { task: ['regression'] }
      : { task: ['classification'], ...(values === 'equal' && { negatives: [4] }) };
  return { ...task, ...own, epochs: [10, 20], 'regularization.embedding': log(1e-6, 1e-2), ...ADAM };
}

const layers: SearchSpace = {
  embeddingDim: [8, 16, 32],
  hidden: [[64], [128, 64], [128, 128]],
  dropout: [0, 0.2],
};

const SPACES: { readonly [N in RecommenderName]: (values: ValueKind) => SearchSpace } = {
  mf: factorization,
  'overparam-mf': factorization,
  als: () => ({
    rank: [16, 32, 64],
    epochs: [8, 16],
    regularization: log(0.001, 0.1),
    unobservedWeight: log(0.01, 1),
  }),
  svdpp: () => RATINGS,
  nmf: () => ({ rank: [8, 15, 30], epochs: [25, 50, 100], regularization: log(0.01, 0.3) }),
  popularity: () => NONE,
  'item-knn': () => ({
    neighbors: [10, 20, 50, 100, 200],
    similarity: ['cosine', 'jaccard'],
    shrinkage: [0, 5, 20, 100],
    featureWeighting: ['none', 'tf-idf', 'bm25'],
  }),
  ease: () => ({ regularization: log(10, 2000) }),
  'neural-cf': () => ({
    rank: [8, 16, 32],
    embeddingDim: [16, 32],
    hidden: [
      [16, 8],
      [32, 16, 8],
    ],
    epochs: [10, 20],
    ...ADAM,
  }),
  fm: (values) => features(values, { rank: [8, 16, 32] }),
  'wide-deep': (values) => features(values, layers),
  'deep-fm': (values) => features(values, layers),
};

/** The default space of a kind, for data with values of some kind; empty for one without options. */
export function defaultSpace(name: RecommenderName, values: ValueKind): SearchSpace {
  return SPACES[name](values);
}

/** What the values of interactions are, or the labels of a table, where -1 may stand for 0 and no order is learned. */
export function kindOfValues(values: Float32Array, areOfTable = false): ValueKind {
  if (!areOfTable && values.every((value) => value === values[0])) return 'equal';
  const isLabel = (value: number) => value === 0 || value === 1 || (areOfTable && value === -1);
  return values.every(isLabel) ? 'labels' : 'ratings';
}
