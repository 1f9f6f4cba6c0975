// The checkpoints of a fit: where it goes on from, and what it leaves behind.

import type { Scheduler } from '../core/scheduler';
import { untilAborted } from '../core/until-aborted';
import type { TrainerState } from '../training/rule-state';
import type { FitPlan } from '../training/train';
import { type CheckpointOwner, encodeCheckpoint, restoreCheckpoint } from './checkpoint';
import { optionsText } from './fingerprint';
import type { FilledFitOptions } from './fit-options';

/** A training that is to be kept, or gone on with. */
export interface KeptTraining extends Pick<CheckpointOwner, 'recommender' | 'parameters' | 'slotsOf'> {
  readonly options: object;
  /** The training data as text, and the validation data where there are any: worked out only where it is needed. */
  data(): Promise<string>;
  validation?: (() => Promise<string>) | undefined;
  /** Goes on with what a trainer has carried. */
  resume(state: TrainerState): void;
  readState(scheduler: Scheduler): Promise<TrainerState>;
}

/** The part of a fit's plan that is about checkpoints. With `resume`, factors and trainer are put back first. */
export async function checkpointPlan(
  training: KeptTraining,
  {
    checkpoint,
    resume,
    earlyStopping,
    signal,
  }: Pick<FilledFitOptions, 'checkpoint' | 'resume' | 'signal'> & { readonly earlyStopping?: object },
  scheduler: Scheduler,
): Promise<Pick<FitPlan, 'checkpoint' | 'resume'>> {
  if (checkpoint === undefined && resume === undefined) return {};
  const { recommender, parameters, slotsOf } = training;
  // What decides when to stop is part of the training.
  const watch = earlyStopping && { earlyStopping, validation: await training.validation?.() };
  const options = optionsText({ ...training.options, ...watch });
  const owner = { recommender, options, data: await training.data(), parameters, slotsOf };
  const standing = resume && restoreCheckpoint(resume, owner);
  if (standing !== undefined) training.resume(standing.trainer);
  return {
    resume: standing?.progress,
    checkpoint: checkpoint && {
      every: checkpoint.every,
      async write(progress) {
        const bytes = encodeCheckpoint(owner, { trainer: await training.readState(scheduler), progress });
        await untilAborted(checkpoint.write(bytes, progress.epochs.length), signal);
      },
    },
  };
}
