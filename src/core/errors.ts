// One process may hold the library more than once: by import and by require, or in two bundles. Its classes are then several,
// and `instanceof` would not know an object of one by the other. What they say of themselves tells.

import { isPlain } from './plain';
import { VERSION } from './version';

/** A class that objects of its other copies are known by. */
export interface NamedClass {
  /** Its name, which survives a minifier. */
  readonly opmf: string;
  readonly version: string;
}

/** What `instanceof` answers for a class of the library; for subclasses of others' making as ever. */
export function isInstance(type: object, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (Function.prototype[Symbol.hasInstance].call(type, value)) return true;
    const wanted = ownName(type);
    return wanted !== undefined && isNamed(wanted.opmf, value);
  } catch {
    // A proxy that refuses to be looked at.
    return false;
  }
}

/** The same of a class of the library by its name, for who would load the class for this question alone. */
export function isNamed<T>(name: string, value: unknown): value is T {
  try {
    let made = typeof value === 'object' && value !== null ? classOf(value) : undefined;
    for (; typeof made === 'function'; made = Object.getPrototypeOf(made)) {
      const own = ownName(made);
      if (own?.opmf === name && own.version === VERSION) return true;
    }
  } catch {
    // A proxy that refuses to be looked at.
  }
  return false;
}

/** How a message names an object of the library, whichever copy it is of; undefined for others. */
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

// Values as error messages show them: their type visible, and never more than some 200 characters, whatever they hold.

/** The most characters of a text, before and after it is quoted. */
const LONGEST = 60;
const LONGEST_QUOTED = 160;
/** How many keys of an object are named. */
const KEYS = 6;

/** A value as an error message shows it: short, and with its type visible. */
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
    // A proxy that refuses to be looked at.
    return 'an object';
  }
}

/** An object that is not plain, by its class: 'a Map', or as an heir of another object. */
function ofClass(value: object): string {
  const type: unknown = value.constructor;
  const name: unknown = typeof type === 'function' ? type.name : undefined;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object that inherits from another';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${clipped(name)}`;
}

/** The start of a text that is longer than a message has room for, else all of it. */
export function clipped(text: string, longest: number = LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

/** Characters that are written out take six places each. */
function quoted(text: string): string {
  const all = JSON.stringify(clipped(text));
  return all.length > LONGEST_QUOTED ? `${all.slice(0, LONGEST_QUOTED - 4).replace(/\\[^"]{0,5}$/, '')}..."` : all;
}

// The errors a caller can meet. Each names what was wrong, the value got, the range wanted and the next step;
// `instanceof OpmfError` catches them all, `name` survives a structured clone and a minifier.

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

/** Where in a file a fault is; lines and columns count from 1. */
export interface FilePlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: string | number | undefined;
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
  /** The file's place at fault, where the data came from one. */
  readonly place: FilePlace;
  constructor(message: string, place: FilePlace = {}) {
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

/** What made a training diverge: its rates or where it started, or weights or values of the data that stand out. */
export type DivergenceReason = 'learningRate' | 'weights' | 'values';

/** More about a divergence. */
export interface DivergenceDetails {
  /** @defaultValue 'learningRate' */
  readonly reason?: DivergenceReason;
  /** How far the weights or values that stand out are from the others: times their mean, or deviations. */
  readonly extent?: number;
  /** What happened. @defaultValue what is said of training */
  readonly what?: string;
}

/**
 * Training left the finite numbers, or those that can be served: the learning rate is too high for this model and data, or
 * weights or values of the data stand out too far.
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
  /** The learning rate in force; 0 where there is none. */
  readonly learningRate: number;
  /** What was at fault. */
  readonly reason: DivergenceReason;
  constructor(epoch: number, parameter: string, learningRate: number, details: DivergenceDetails = {}) {
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

function advice(reason: DivergenceReason, extent: number, hasRate: boolean): string {
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
 * A question about an id that has no sensible answer, because training never saw it.
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
 * A thread that a fit had started ended before the fit: from outside, or for want of memory. Fit again; `threads: 1`
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
