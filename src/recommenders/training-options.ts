// The options that several kinds of recommenders have, each declared here once.

import type { Context, Field, Fields, Filled } from '../core/options';
import {
  boolean,
  seed as checkSeed,
  field,
  integer,
  json,
  number,
  oneOf,
  readOptions,
  threadCount,
  wrong,
} from '../core/options';
import { plainCopy } from '../core/plain';
import { MAX_RANK } from '../models/factorization';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { isRule, OPTIMIZER_WANTED, type OptimizerName, resolveOver } from '../optimizers/registry';
import { OVERPARAM_WANTED, type Overparam, productOver } from '../parameters/overparam';
import type { LossName, RankingLossName } from '../training/losses';
import type { NegativeSampling } from '../training/negatives';

/** The options whose meaning and default are the same wherever they are. */
export interface TrainingOptions {
  /** A new order of the training data each epoch. @defaultValue true */
  readonly shuffle?: boolean | undefined;
  /** Of every random draw: a finite number or a string. @defaultValue 1 */
  readonly seed?: number | string | undefined;
  /**
   * What does the arithmetic; results never depend on it. `auto`: WebAssembly where it and its memory can be had, else
   * JavaScript; `wasm`: else an UnsupportedError, in answers too. @defaultValue 'auto'
   */
  readonly kernels?: 'auto' | 'wasm' | 'js' | undefined;
  /** Clips predicted ratings to the range of the training ratings. @defaultValue true */
  readonly clip?: boolean | undefined;
}

/** Of trainings that use what cores there are. */
export interface ThreadOptions {
  /**
   * The threads to train on, a whole number from 1 to 256; results never depend on it. `auto`: one for each core, where there
   * is enough to do. Where threads cannot be started one does the work, which is said once as a warning; a thread that ends
   * before its time is a ThreadError. @defaultValue 'auto'
   */
  readonly threads?: number | 'auto' | undefined;
}

/** Options in force: each one is filled in, parts of penalties and negatives too; of an optimizer it is the configuration. */
export type OptionsInForce<Options> = {
  readonly [K in keyof Options]-?: K extends 'optimizer' | 'wideOptimizer'
    ? OptimizerConfig
    : K extends 'regularization' | 'negatives'
      ? Exclude<Options[K], undefined> extends number | string
        ? Exclude<Options[K], undefined>
        : Exclude<Options[K], number | undefined> extends infer Parts
          ? { readonly [P in keyof Parts]-?: Exclude<Parts[P], undefined> }
          : never
      : Exclude<Options[K], undefined>;
};

/** Their declarations. */
export function trainingFields() {
  return {
    shuffle: field(boolean, true),
    seed: field(checkSeed, 1),
    kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
    clip: field(boolean, true),
  } satisfies Fields<Filled<TrainingOptions>>;
}

/** The length of a vector, or the outputs of a layer. */
export const dimension = () => integer({ min: 1, max: MAX_RANK });

/** More numbers between two layers than anybody trains, and more layers: told before memory is asked for. */
const MOST_WEIGHTS = 2 ** 26;
const MOST_LAYERS = 64;

/** Declares the outputs of hidden layers, one after another, the first of so many inputs (0: not known yet). */
export function layers<Options>(
  fallback: readonly number[],
  inputsOf: (options: Options) => number = () => 0,
  least = 0,
): Field<readonly number[], Options> {
  const size = dimension();
  const wanted = `a list of the outputs of each hidden layer, as [${fallback.join(', ')}]`;
  return {
    wanted,
    read(given = fallback, name, { options }) {
      if (!Array.isArray(given) || given.length < least) throw wrong(name, given, wanted);
      if (given.length > MOST_LAYERS) throw wrong(name, given, `at most ${MOST_LAYERS} layers`);
      const outputs = given.map((one: unknown, l) => size(one, `${name}[${l}]`));
      const inputs = [inputsOf(options), ...outputs];
      const weights = outputs.reduce((sum, one, l) => sum + one * inputs[l]!, 0);
      if (weights <= MOST_WEIGHTS) return Object.freeze(outputs);
      throw wrong(
        name,
        given,
        `smaller layers: these have ${weights} weights between them, and ${MOST_WEIGHTS} is the most`,
      );
    },
  };
}

/** More is a slip of the hand, told before it is waited for. */
export const epochCount = () => integer({ min: 1, max: 100_000 });
export const batchCount = () => integer({ min: 1 });

/** The strength of a penalty, or the size of what tables start at. */
export const magnitude = () => number({ min: 0 });

/** What an option `optimizer` may be: parts that are left out are those of the default. */
type OptimizerOption = Optimizer | OptimizerConfig | Partial<OptimizerConfig> | OptimizerName;

/** Declares an optimizer over its default. */
export function optimizer<Options, Data>(
  preset: (context: Context<Options, Data>) => OptimizerConfig,
): Field<Optimizer, Options, Data> {
  return {
    wanted: OPTIMIZER_WANTED,
    read: (given, name, context) => resolveOver(given as OptimizerOption | undefined, preset(context), name),
  };
}

/** Options with the configuration of their rule in its place; the rule may be an object of the caller's. */
export function ruleApart<Read extends { readonly optimizer: Optimizer }>(read: Read) {
  const { optimizer: rule } = read;
  return { options: Object.freeze({ ...read, optimizer: rule.config }), rule };
}

/** A copy of checked options that nobody can change: plain JSON, but for rules of the caller's own. */
export function copyOf<O extends object>(own: O): O {
  const entries = Object.entries(own).filter(([, value]) => value !== undefined);
  return Object.freeze(
    Object.fromEntries(entries.map(([name, value]) => [name, isRule(value) ? value : json(value, name)])),
  ) as O;
}

/**
 * Declares products of tables over their default; `check` throws for what the tables of the kind do not take. Fields left
 * out of one product for all tables are those of the default, where it is of its kind.
 */
export function products<T extends object | false, Options, Data>(
  check: (overparam: T, context: Context<Options, Data>) => unknown,
  preset: (context: Context<Options, Data>) => T | false = () => false,
): Field<T, Options, Data> {
  return {
    wanted: OVERPARAM_WANTED,
    read(given, _, context) {
      const usual = preset(context) as Overparam;
      // A copy, which the caller cannot change: models read it again, once they know their tables.
      const copy = plainCopy(given === undefined ? usual : productOver(given, usual)) as T;
      check(copy, context);
      if (copy !== false) for (const part of [copy, ...Object.values(copy)]) Object.freeze(part);
      return copy;
    },
  };
}

/** Declares penalties over their defaults: a number for those that `ofNumber` says, or an object with some of them. */
export function penalty<Strengths extends object, Options, Data>(
  preset: (context: Context<Options, Data>) => Strengths,
  ofNumber: (lambda: number) => Strengths,
  /** What is left out of an object. */
  rest: (context: Context<Options, Data>) => Strengths = preset,
): Field<Strengths, Options, Data> {
  const strength = magnitude();
  return {
    wanted: `${strength.wanted}, or an object of such by name`,
    read(given, name, context) {
      if (given === undefined) return Object.freeze({ ...preset(context) });
      if (typeof given === 'number') return Object.freeze(ofNumber(strength(given, name)));
      const scaling = oneOf('constant', 'frequency');
      const fields = Object.entries(rest(context)).map(([part, value]) => [
        part,
        typeof value === 'number' ? field(strength, value) : field(scaling, value),
      ]);
      return readOptions(context.owner, given, Object.fromEntries(fields) as Fields<Strengths>, `${name}.`);
    },
  };
}

/** What the default penalties of losses of orders depend on. */
export interface Spread {
  /** The number of interactions. */
  readonly size: number;
  /** The interactions of a user, in the mean over users, and in the mean over interactions. */
  readonly perUser: number;
  readonly ofOne: number;
  /** At least 1: (sqrt(users) + sqrt(items))^2 / interactions, above which chance alone looks like taste. */
  readonly crowding: number;
}

/** Of no data yet. */
const USUAL_SPREAD: Spread = { size: 100_000, perUser: 40, ofOne: 40, crowding: 1 };

/** The constants of `constantPenalty`, and of `ordersPenalty`. */
const OF_PAIRS = 0.075;
const OF_WARP = 0.25;
const OF_SOFTMAX = 0.023;
const PAIRS_BY_FREQUENCY = 0.05;
const WARP_BY_FREQUENCY = 0.2;

/**
 * The penalty of a loss of orders that is the same for all rows: c / k^(1/4), k the interactions of the user of one, in the
 * mean. What a step of warp moves is by the log of a rank larger, and of softmax each candidate of many is penalized. Where
 * rows have so little that chance alone looks like taste it grows with the square of crowding. docs/defaults.md
 */
export function constantPenalty(loss: AnyLoss, { ofOne, crowding }: Spread = USUAL_SPREAD): number {
  const strength = loss === 'softmax' ? OF_SOFTMAX : loss === 'warp' ? OF_WARP : OF_PAIRS;
  return Number((strength * ofOne ** -0.25 * crowding * crowding).toPrecision(3));
}

/**
 * The default penalty of a loss of orders: of pairs by frequency, c sqrt(n / k), n the interactions of a user in the mean over
 * users: .05 is within 5 % of the best of a grid on 9 of 10 sets, where a constant lost 5 to 20 % on those of few interactions.
 * Softmax draws all items alike, so that those with few are penalized enough by a constant. docs/defaults.md
 */
export function ordersPenalty(loss: AnyLoss, spread: Spread = USUAL_SPREAD) {
  if (loss === 'softmax') return { lambda: constantPenalty(loss, spread), scaling: 'constant' } as const;
  const { perUser, ofOne, crowding } = spread;
  const strength = loss === 'warp' ? WARP_BY_FREQUENCY : PAIRS_BY_FREQUENCY;
  const lambda = strength * Math.sqrt(perUser / ofOne) * crowding * crowding;
  return { lambda: Number(lambda.toPrecision(3)), scaling: 'frequency' } as const;
}

/** How negatives are drawn. */
export interface Negatives {
  /** For each interaction, from 1 to 4096. @defaultValue that of the loss */
  readonly count?: number | undefined;
  /** @defaultValue 'uniform' */
  readonly sampler?: 'uniform' | 'popularity' | undefined;
  /** 'popularity': the power of an item's number of interactions, from 0 to 4. @defaultValue 0.75 */
  readonly exponent?: number | undefined;
}

type AnyLoss = LossName | RankingLossName | 'auto';

/** Negatives where a loss cannot do without. */
const USUAL: Readonly<Record<RankingLossName, number>> = { bpr: 1, warp: 16, softmax: 32 };
/** And where logistic is told to draw some without a number. */
const USUAL_LOGISTIC = 4;
const MOST = 4096;

/** Declares negatives, whose default is that of the loss; `always`: logistic has some too where none are given. */
export function negatives(always = false): Field<NegativeSampling | false, { readonly loss: AnyLoss }> {
  return {
    wanted: `${always ? 'a whole number from 1' : 'false, a whole number from 0'} to ${MOST}, or { count, sampler, exponent }`,
    read(given, name, { owner, options: { loss } }) {
      const isGroup = Object.hasOwn(USUAL, loss);
      if (given === undefined && !isGroup && !always) return false;
      if (given === false || given === 0) {
        if (isGroup)
          throw wrong(name, given, `at least 1: loss '${loss}' compares what users have with what they do not`);
        if (always) throw wrong(name, given, 'at least 1: it learns what users have from what not');
        return false;
      }
      if (!isGroup && loss !== 'logistic') {
        const why =
          loss === 'auto'
            ? "loss 'auto' draws its own where it needs some"
            : `loss '${loss}' takes the values as they are`;
        throw wrong(name, given, `false: ${why}; use logistic, bpr, warp or softmax`);
      }
      const count = integer({ min: 1, max: MOST });
      const parts = typeof given === 'number' ? { count: count(given, name) } : given;
      const usual = isGroup ? USUAL[loss as RankingLossName] : USUAL_LOGISTIC;
      const fields = {
        count: field(count, usual),
        sampler: field(oneOf('uniform', 'popularity'), 'uniform'),
        exponent: field(number({ min: 0, max: 4 }), 0.75),
      };
      return readOptions<NegativeSampling>(owner, parts, fields, `${name}.`);
    },
  };
}

/** On how many threads; results never depend on it. */
export const threads = field(threadCount, 1);

/** What trains, and on how many threads. */
export const placeFields = () => ({
  kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
  threads: field(threadCount, 'auto'),
});
