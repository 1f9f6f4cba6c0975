// Checkpoints of a fit: a training between two epochs as one safetensors file, and back. It holds the factors, the rule's
// memory of them, how far it has come, and what tells this training from others: the options that change its bits, and
// the data. What goes on from it ends in the bits of what never stopped.

import { DataError, FormatError } from '../core/errors';
import { wrong } from '../core/options';
import { forEachChunk, type Scheduler, untilAborted } from '../core/scheduler';
import type { FeatureRows } from '../data/feature-fields';
import type { Interactions } from '../data/interactions';
import { decodeSealed, encodeSealed, type FileKind, type Tensor } from '../io/files/safetensors';
import type { Factor, Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import { checkFinite, inNamesOfToday, parseObject, taker, vector } from '../serving/saved-model';
import type { FitProgress, FitTask } from '../training/fit';
import { slotLength } from '../training/optimizer-sink';
import type { FilledFitOptions } from './fit-options';

const KIND: FileKind = { format: 'opmf-checkpoint', name: 'checkpoint' };

/** What a checkpoint is of. */
interface CheckpointOwner {
  /** The kind of the recommender. */
  readonly recommender: string;
  /** As text, from `optionsText` and `dataText` or `rowsText`. */
  readonly options: string;
  readonly data: string;
  readonly parameters: readonly Parameter[];
  /** What the rule of a factor keeps of it. */
  slotsOf(factor: Factor): readonly SlotSpec[];
}

/** Where a training stands. */
type Standing = NonNullable<FitTask<unknown>['resume']>;

/** A training that is to be kept, or gone on with. */
interface KeptTraining extends Pick<CheckpointOwner, 'recommender' | 'parameters' | 'slotsOf'> {
  readonly options: object;
  /** The training data as text, and the validation data where there are any: worked out only where it is needed. */
  data(): Promise<string>;
  validation?: (() => Promise<string>) | undefined;
}

/** The part of a fit's task that is about checkpoints, where some are asked for. With `resume`, the factors are put back. */
export async function checkpointing(
  { recommender, parameters, slotsOf, ...training }: KeptTraining,
  fit: Pick<FilledFitOptions, 'checkpoint' | 'resume' | 'signal'> & { readonly earlyStopping?: object },
): Promise<Pick<FitTask<unknown>, 'checkpoint' | 'resume'>> {
  const { checkpoint, resume, earlyStopping, signal } = fit;
  // What decides when to stop is part of the training.
  const watch = earlyStopping && { earlyStopping, validation: await training.validation?.() };
  const options = optionsText({ ...training.options, ...watch });
  const owner = { recommender, options, data: await training.data(), parameters, slotsOf };
  return {
    resume: resume && restoreCheckpoint(resume, owner),
    checkpoint: checkpoint && {
      every: checkpoint.every,
      async write(state, progress) {
        const bytes = encodeCheckpoint(owner, { state, progress });
        await untilAborted(checkpoint.write(bytes, progress.epochs.length), signal);
      },
    },
  };
}

/** The bytes of a training that stands at the end of an epoch. */
function encodeCheckpoint(owner: CheckpointOwner, { state, progress }: Standing): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, Tensor>();
  const factors = factorsOf(owner);
  for (const [k, factor] of factors.entries()) {
    const { name, data } = factor;
    tensors.set(name, vector('F32', data as Float32Array));
    if (progress.best.length > 0) tensors.set(`best.${name}`, vector('F32', progress.best[k] as Float32Array));
    for (const [s, slot] of owner.slotsOf(factor).entries())
      tensors.set(`${slot.name}.${name}`, vector('F32', state.slots.get(name)![s] as Float32Array));
  }
  const { epochs, seconds, bestEpoch, bestValue } = progress;
  return encodeSealed(KIND, tensors, {
    recommender: owner.recommender,
    options: owner.options,
    data: owner.data,
    // Infinity, before there is a best, is no JSON.
    progress: JSON.stringify({
      epochs,
      seconds,
      bestEpoch,
      bestValue: bestEpoch > 0 ? bestValue : 0,
      steps: state.steps,
    }),
  });
}

/**
 * Reads a checkpoint of this very training, and puts its factors into the parameters.
 *
 * @throws FormatError where the bytes are no whole checkpoint; OptionError and DataError where they are of another training
 */
function restoreCheckpoint(bytes: Uint8Array, owner: CheckpointOwner): Standing {
  const { tensors, metadata } = decodeSealed(KIND, bytes);
  const { recommender = '', data } = metadata;
  const options = optionsText(inNamesOfToday(recommender, parseObject(metadata.options, 'options')));
  const isOther = recommender !== owner.recommender;
  if (!isOther && data !== owner.data) {
    throw new DataError(
      `resume: the checkpoint is of ${data}; the data now is ${owner.data}; go on with the data of then`,
    );
  }
  // After the data, by which some of the options are chosen.
  if (isOther || options !== owner.options) {
    throw wrong(
      'resume',
      `a checkpoint of ${recommender} ${options}`,
      `one of the options that the fit has now, which are ${owner.recommender} ${owner.options}`,
    );
  }
  const { steps, ...said } = readProgress(metadata.progress);
  const take = taker(tensors);
  const taken = (name: string, length: number): Float32Array => {
    const values = take(name, Float32Array, length);
    checkFinite({ [name]: values });
    return values;
  };
  const factors = factorsOf(owner);
  const lengthOf = ({ rows, cols }: Factor) => rows * cols;
  const values = factors.map((factor) => taken(factor.name, lengthOf(factor)));
  const best = said.bestEpoch > 0 ? factors.map((factor) => taken(`best.${factor.name}`, lengthOf(factor))) : [];
  const slots = factors.map((factor): [string, Real[]] => {
    const lists = owner.slotsOf(factor).map((slot) => taken(`${slot.name}.${factor.name}`, slotLength(slot, factor)));
    return [factor.name, lists];
  });
  // Only now: a file that is refused changes nothing.
  for (const [k, { data: own }] of factors.entries()) own.set(values[k]!);
  return { state: { slots: new Map(slots), steps }, progress: { ...said, best } };
}

function factorsOf({ parameters }: CheckpointOwner): readonly Factor[] {
  return parameters.flatMap(({ factors }) => factors);
}

function readProgress(text: string | undefined): Omit<FitProgress, 'best'> & { steps: number } {
  const said = parseObject(text, 'progress') as Omit<FitProgress, 'best'> & { steps: number };
  const { epochs, seconds, bestEpoch, bestValue, steps } = said;
  const isCount = (value: number, most: number) => Number.isSafeInteger(value) && value >= 0 && value <= most;
  const areWhole =
    Array.isArray(epochs) &&
    epochs.every(isRecord) &&
    isCount(bestEpoch, epochs.length) &&
    isCount(steps, Number.MAX_SAFE_INTEGER) &&
    Number.isFinite(seconds) &&
    Number.isFinite(bestValue);
  if (!areWhole) throw new FormatError('metadata.progress is not that of a training; the checkpoint is damaged');
  return { epochs, seconds, bestEpoch, bestValue: bestEpoch > 0 ? bestValue : Infinity, steps };
}

/** The record of the epoch after `k` others. `ratingsPerSecond` may be Infinity, which is no JSON. */
function isRecord(value: unknown, k: number): boolean {
  const { epoch, trainLoss, learningRate, seconds, metrics } = (value ?? {}) as Record<string, unknown>;
  const areNumbers = [trainLoss, learningRate, seconds].every((one) => Number.isFinite(one));
  return epoch === k + 1 && areNumbers && typeof metrics === 'object' && metrics !== null;
}

/** Options that change no bit of the result: a training may go on elsewhere. */
const ELSEWHERE: readonly string[] = ['kernels', 'threads'];

/** The options that count, as text: the same whatever the order in which they were given. */
function optionsText(options: object): string {
  return JSON.stringify(options, (key, value) => (ELSEWHERE.includes(key) ? undefined : inOrder(value)));
}

/** An object with its keys sorted; anything else as it is. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What tells interactions from others. */
type Identified = Pick<Interactions, 'size' | 'users' | 'items' | 'userIndex' | 'itemIndex' | 'values'> & {
  readonly weights?: Float32Array | undefined;
};

/** The data as text: sizes, and a hash of every row (after FNV-1a). Cost: linear in the rows. */
export async function dataText(data: Identified, scheduler: Scheduler): Promise<string> {
  const { size, users, items, userIndex, itemIndex, values, weights } = data;
  const hash = await hashOf([userIndex, itemIndex, values, ...(weights === undefined ? [] : [weights])], scheduler);
  return `${size} interactions of ${users.size} users and ${items.size} items, ${hash}`;
}

/** The same of rows of features. */
export async function rowsText(rows: FeatureRows, scheduler: Scheduler): Promise<string> {
  const { size, starts, indices, values, labels, weights, fields } = rows;
  const columns = [starts, indices, values, labels, weights].filter((column) => column !== null);
  const names = fields.map(({ name, kind, size }) => `${name} (${kind}, ${size})`).join(', ');
  return `${size} rows of ${names}, ${await hashOf(columns, scheduler)}`;
}

/** Two words of 32 bits over all numbers. */
async function hashOf(columns: readonly (Int32Array | Float32Array)[], scheduler: Scheduler): Promise<string> {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const column of columns) {
    const words = new Int32Array(column.buffer, column.byteOffset, column.length);
    await forEachChunk(words.length, scheduler, (from, to) => {
      for (let k = from; k < to; k++) {
        a = Math.imul(a ^ words[k]!, 0x01000193);
        b = Math.imul(b ^ (words[k]! >>> 7) ^ words[k]!, 0x85ebca6b);
      }
    });
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return hex(a) + hex(b);
}
