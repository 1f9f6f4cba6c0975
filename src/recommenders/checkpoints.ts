// The checkpoints of a fit: where it goes on from, and what it leaves behind.

import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import type { TrainerState } from '../training/rule-state';
import type { FitPlan } from '../training/train';
import { encodeCheckpoint, restoreCheckpoint } from './checkpoint';
import { dataText, optionsText } from './fingerprint';
import type { FilledFitOptions } from './fit-options';

/** A training that is to be kept, or gone on with. */
export interface KeptTraining {
  readonly recommender: string;
  readonly options: object;
  readonly data: Interactions;
  readonly parameters: readonly Parameter[];
  readonly slots: readonly SlotSpec[];
  /** Goes on with what a trainer has carried. */
  resume(state: TrainerState): void;
  readState(turns: Turns): Promise<TrainerState>;
}

/** The part of a fit's plan that is about checkpoints. With `resume`, factors and trainer are put back first. */
export async function checkpointPlan(
  training: KeptTraining,
  { checkpoint, resume, earlyStopping, validation }: FilledFitOptions,
  turns: Turns,
): Promise<Pick<FitPlan, 'checkpoint' | 'resume'>> {
  if (checkpoint === undefined && resume === undefined) return {};
  const { recommender, parameters, slots } = training;
  // What decides when to stop is part of the training.
  const watch = earlyStopping && { earlyStopping, validation: validation && (await dataText(validation, turns)) };
  const options = optionsText({ ...training.options, ...watch });
  const owner = { recommender, options, data: await dataText(training.data, turns), parameters, slots };
  const standing = resume && restoreCheckpoint(resume, owner);
  if (standing !== undefined) training.resume(standing.trainer);
  return {
    resume: standing?.progress,
    checkpoint: checkpoint && {
      every: checkpoint.every,
      async write(progress) {
        const bytes = encodeCheckpoint(owner, { trainer: await training.readState(turns), progress });
        await checkpoint.write(bytes, progress.epochs.length);
      },
    },
  };
}
