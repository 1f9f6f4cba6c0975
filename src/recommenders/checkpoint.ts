// A training between two epochs as one safetensors file, and back: factors, the rule's memory of them, how far it has come,
// and what it is a training of. What goes on from it ends in the bits of what never stopped.

import { DataError, FormatError } from '../core/errors';
import { wrong } from '../core/options';
import type { Factor, Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import { decodeSealed, encodeSealed, type FileKind } from '../persistence/sealed-file';
import type { Tensor } from '../persistence/tensor';
import { slotLength, type TrainerState } from '../training/rule-state';
import type { FitProgress } from '../training/train';
import { optionsText } from './fingerprint';
import { checkFinite, inNamesOfToday, parseObject, taker, vector } from './saved-model';

const KIND: FileKind = { format: 'opmf-checkpoint', name: 'checkpoint' };

/** What a checkpoint is of. */
export interface CheckpointOwner {
  /** The kind of the recommender. */
  readonly recommender: string;
  /** @see fingerprint.ts */
  readonly options: string;
  readonly data: string;
  readonly parameters: readonly Parameter[];
  /** What the rule of a factor keeps of it. */
  slotsOf(factor: Factor): readonly SlotSpec[];
}

/** Where a training stands. */
export interface Standing {
  readonly trainer: TrainerState;
  readonly progress: FitProgress;
}

/** The bytes of a training that stands at the end of an epoch. */
export function encodeCheckpoint(owner: CheckpointOwner, { trainer, progress }: Standing): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, Tensor>();
  const factors = factorsOf(owner);
  for (const [k, factor] of factors.entries()) {
    const { name, data } = factor;
    tensors.set(name, vector('F32', data as Float32Array));
    if (progress.best.length > 0) tensors.set(`best.${name}`, vector('F32', progress.best[k] as Float32Array));
    for (const [s, slot] of owner.slotsOf(factor).entries())
      tensors.set(`${slot.name}.${name}`, vector('F32', trainer.slots.get(name)![s] as Float32Array));
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
      steps: trainer.steps,
    }),
  });
}

/**
 * Reads a checkpoint of this very training, and puts its factors into the parameters.
 *
 * @throws FormatError where the bytes are no whole checkpoint; OptionError and DataError where they are of another training
 */
export function restoreCheckpoint(bytes: Uint8Array, owner: CheckpointOwner): Standing {
  const { tensors, metadata } = decodeSealed(KIND, bytes);
  const { recommender = '', data } = metadata;
  const options = optionsText(inNamesOfToday(recommender, parseObject(metadata.options, 'options')));
  if (recommender !== owner.recommender || options !== owner.options) {
    throw wrong(
      'resume',
      `a checkpoint of ${recommender} ${options}`,
      `one of the options that the fit has now, which are ${owner.recommender} ${owner.options}`,
    );
  }
  if (data !== owner.data)
    throw new DataError(
      `resume: the checkpoint is of ${data}; the data now is ${owner.data}; go on with the data of then`,
    );
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
  return { trainer: { slots: new Map(slots), steps }, progress: { ...said, best } };
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
