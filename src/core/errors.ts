// A process may hold several copies of the library: by import and by require, or in two bundles. `instanceof` would not
// recognize objects across copies, so classes are identified by the names they carry.

import { isPlain } from './plain';
import { VERSION } from './version';

/** A class recognized across copies of the library. */
export interface NamedClass {
  /** Its name, which survives a minifier. */
  readonly opmf: string;
  readonly version: string;
}

/** Implements `instanceof` for classes of the library; for subclasses defined by users it behaves as usual. */
export function isInstance(type: object, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (Function.prototype[Symbol.hasInstance].call(type, value)) return true;
    const wanted = ownName(type);
    return wanted !== undefined && isNamed(wanted.opmf, value);
  } catch {
    // A proxy that rejects inspection.
    return false;
  }
}

/** The same for a class given by its name, without importing it. */
export function isNamed<T>(name: string, value: unknown): value is T {
  try {
    let made = typeof value === 'object' && value !== null ? classOf(value) : undefined;
    for (; typeof made === 'function'; made = Object.getPrototypeOf(made)) {
      const own = ownName(made);
      if (own?.opmf === name && own.version === VERSION) return true;
    }
  } catch {
    // A proxy that rejects inspection.
  }
  return false;
}

/** The name of an object of the library in messages, whichever copy it comes from; undefined for others. */
export function libraryName(value: object): string | undefined {
  const made = classOf(value);
  const name = typeof made === 'function' ? ownName(made) : undefined;
  if (name === undefined) return undefined;
  return `${/^[AEIOU]/.test(name.opmf) ? 'an' : 'a'} ${name.opmf} of opmf ${name.version}`;
}

function classOf(value: object): unknown {
  return (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
}

function ownName(type: object): NamedClass | undefined {
  if (!Object.hasOwn(type, 'opmf')) return undefined;
  const { opmf, version } = type as Partial<NamedClass>;
  return typeof opmf === 'string' && typeof version === 'string' ? { opmf, version } : undefined;
}

// Formats values for error messages: with their type visible, and at most some 200 characters long.

/** The most characters of a text before and after quoting. */
const LONGEST = 60;
const LONGEST_QUOTED = 160;
/** How many keys of an object are listed. */
const KEYS = 6;

/** A value for an error message: short, and with its type visible. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return clipped(String(value));
  if (typeof value === 'symbol') return clipped(String(value));
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const own = libraryName(value);
    if (own !== undefined) return clipped(own);
    if (!isPlain(value)) return ofClass(value);
    const keys = Object.keys(value).slice(0, KEYS);
    return `an object with ${keys.map((key) => clipped(key, LONGEST / 3)).join(', ') || 'no keys'}`;
  } catch {
    // A proxy that rejects inspection.
    return 'an object';
  }
}

/** Names an object that is not plain by its class: 'a Map', or as inheriting from another object. */
function ofClass(value: object): string {
  const type: unknown = value.constructor;
  const name: unknown = typeof type === 'function' ? type.name : undefined;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object that inherits from another';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${clipped(name)}`;
}

/** A text, shortened if it is too long for a message. */
export function clipped(text: string, longest: number = LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

/** Escaped characters take six places each. */
function quoted(text: string): string {
  const all = JSON.stringify(clipped(text));
  return all.length > LONGEST_QUOTED ? `${all.slice(0, LONGEST_QUOTED - 4).replace(/\\[^"]{0,5}$/, '')}..."` : all;
}

// The errors a caller can encounter. Each names the fault, the value got, the range wanted and the next step;
// `instanceof OpmfError` catches them all, and `name` survives structured cloning and minification.

/**
 * The base of every error that this library throws on purpose.
 *
 * @example
 * ```ts
 * import { MF, OpmfError } from 'opmf';
 * try {
 *   new MF({ rank: 0 });
 * } catch (error) {
 *   console.log(error instanceof OpmfError); // true
 * }
 * ```
 */
export class OpmfError extends Error {
  /** @internal */
  static readonly opmf: string = 'OpmfError';
  /** @internal */
  static readonly version = VERSION;
  /** @internal Objects of the same class of the other module format are instances too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses ask for themselves
    return isInstance(this, value);
  }
  override readonly name: string = 'OpmfError';
}

/**
 * An option has a wrong name, type or value.
 *
 * @example
 * ```ts
 * import { MF, OptionError } from 'opmf';
 * try {
 *   new MF({ rank: 0 });
 * } catch (error) {
 *   console.log((error as OptionError).option); // rank
 * }
 * ```
 */
export class OptionError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'OptionError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'OptionError';
  /** The option's name, dotted for a nested one: `overparam.depth`. */
  readonly option: string;
  /** The value got. */
  readonly value: unknown;
  constructor(option: string, value: unknown, message: string) {
    super(message);
    this.option = option;
    this.value = value;
  }
}

/**
 * The data are unusable: a NaN rating, an empty set, a missing column, a duplicate that is not allowed.
 *
 * @example
 * ```ts
 * import { DataError, Interactions } from 'opmf';
 * try {
 *   Interactions.from([['ann', 'tea', Number.NaN]]);
 * } catch (error) {
 *   console.log(error instanceof DataError); // true
 * }
 * ```
 */
export class DataError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'DataError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'DataError';
  /** The location in the file, if the data came from one. */
  readonly place: {
    readonly file?: string | undefined;
    readonly line?: number | undefined;
    /** In place of a line, of a file that has none, such as Parquet. From 1. */
    readonly row?: number | undefined;
    readonly column?: string | number | undefined;
  };
  constructor(message: string, place: DataError['place'] = {}) {
    super(message);
    this.place = place;
  }
}

/**
 * Bytes are not what their format says: a truncated or foreign model file.
 *
 * @example
 * ```ts
 * import { FormatError, loadRecommender } from 'opmf';
 * try {
 *   loadRecommender(new Uint8Array(3));
 * } catch (error) {
 *   console.log(error instanceof FormatError); // true
 * }
 * ```
 */
export class FormatError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'FormatError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'FormatError';
}

/**
 * Parameters or scores became infinite or NaN: the learning rate is too high for this model and data, or the data
 * contain extreme weights or values.
 *
 * @example
 * ```ts
 * import { DivergenceError, MF, sgd, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 50, items: 40, ratings: 500 });
 * await new MF({ optimizer: sgd({ learningRate: 1e6 }) }).fit(data).catch((error: DivergenceError) => {
 *   console.log(error.name, error.epoch); // DivergenceError 1
 * });
 * ```
 */
export class DivergenceError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'DivergenceError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'DivergenceError';
  /** The epoch, from 1, in which it happened. */
  readonly epoch: number;
  /** The first parameter whose values are no longer finite, else the one with the largest. */
  readonly parameter: string;
  /** The learning rate at that time; 0 if there is none. */
  readonly learningRate: number;
  /** The cause. */
  readonly reason: 'learningRate' | 'weights' | 'values';
  constructor(
    epoch: number,
    parameter: string,
    learningRate: number,
    details: {
      /** @defaultValue 'learningRate' */
      readonly reason?: DivergenceError['reason'];
      /** The size of the outliers: weights relative to their mean, or values in standard deviations. */
      readonly extent?: number;
      /** What happened. @defaultValue the usual text on training */
      readonly what?: string;
    } = {},
  ) {
    const { reason = 'learningRate', extent = 0, what = 'grew beyond all bounds' } = details;
    const rate = learningRate > 0 ? ` at learning rate ${learningRate}` : '';
    super(
      `training diverged in epoch ${epoch}: parameter '${parameter}' ${what}${rate}; ` +
        advice(reason, Number(extent.toPrecision(3)), learningRate > 0),
    );
    this.epoch = epoch;
    this.parameter = parameter;
    this.learningRate = learningRate;
    this.reason = reason;
  }
}

function advice(reason: DivergenceError['reason'], extent: number, hasRate: boolean): string {
  const rates = hasRate ? 'lower learningRate (a tenth is a good next try) or' : 'lower';
  if (reason === 'weights')
    return `weights of the data reach ${extent} times their mean: cut off the largest${hasRate ? ', or lower learningRate' : ''}`;
  if (reason === 'values')
    return `values of the data reach ${extent}, on the scale of training: correct, clip or scale them (standardize: true divides by their deviation)${hasRate ? ', or lower learningRate' : ''}`;
  return `${rates} initScale (initRange in NMF), or raise regularization`;
}

/**
 * A trained recommender was asked for before `fit` was awaited.
 *
 * @example
 * ```ts
 * import { MF, NotFittedError } from 'opmf';
 * try {
 *   new MF().predict('ann', 'tea');
 * } catch (error) {
 *   console.log(error instanceof NotFittedError); // true
 * }
 * ```
 */
export class NotFittedError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'NotFittedError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'NotFittedError';
  constructor(recommender: string, call: string) {
    super(
      `${recommender}.${call}() needs a fitted model; await ${recommender}.fit(interactions) first, or load a saved one`,
    );
  }
}

/**
 * A query about an id that has no sensible answer, because the id does not occur in the training data.
 *
 * @example
 * ```ts
 * import { MF, syntheticInteractions, type UnknownIdError } from 'opmf';
 * const model = new MF({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * try {
 *   model.similarItems('no such item');
 * } catch (error) {
 *   console.log((error as UnknownIdError).id); // no such item
 * }
 * ```
 */
export class UnknownIdError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'UnknownIdError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'UnknownIdError';
  /** The id as it was given. */
  readonly id: string | number;
  constructor(kind: 'user' | 'item', id: string | number, call: string) {
    super(
      `${call}: ${kind} ${show(id)} (a ${typeof id}) has no rating in the training data; ` +
        'ids are compared with their type (1 and "1" differ)',
    );
    this.id = id;
  }
}

/**
 * A combination that is well-formed but has no meaning, or none here.
 *
 * @example
 * ```ts
 * import { OverparamMFModel, UnsupportedError } from 'opmf';
 * const model = new OverparamMFModel({ users: 2, items: 2, rank: 2, overparam: { kind: 'diagonal', scope: 'row' } });
 * try {
 *   model.effectiveUpdate('user', 0, new Float32Array(2), 0.1);
 * } catch (error) {
 *   console.log(error instanceof UnsupportedError); // true
 * }
 * ```
 */
export class UnsupportedError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'UnsupportedError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'UnsupportedError';
}

/**
 * A thread of a fit ended before the fit did: terminated from outside, or out of memory. Fit again; `threads: 1`
 * starts none, with the same results.
 *
 * @example
 * ```ts
 * import { MF, syntheticInteractions, ThreadError } from 'opmf';
 * const data = syntheticInteractions({ users: 50, items: 40, ratings: 500 });
 * const model = new MF({ epochs: 1, threads: 2 });
 * await model.fit(data).catch((error: unknown) => {
 *   if (!(error instanceof ThreadError)) throw error;
 *   return new MF({ epochs: 1, threads: 1 }).fit(data);
 * });
 * ```
 */
export class ThreadError extends OpmfError {
  /** @internal */
  static override readonly opmf = 'ThreadError';
  /** @internal */
  static override readonly version = VERSION;
  override readonly name = 'ThreadError';
  constructor(reason: string) {
    super(
      `a thread of the training is gone: ${reason}; fit again, with threads: 1 to start none, with the same results`,
    );
  }
}
