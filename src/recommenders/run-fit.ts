// The run of a fit, whatever trains: epochs with validation and checkpoints, and what is installed at its end or after an
// abort.

import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import { type Training, train } from '../training/train';
import { checkpointPlan } from './checkpoints';
import { dataText } from './fingerprint';
import type { FilledFitOptions } from './fit-options';
import { type RowCounts, Seen } from './seen';
import { type Judged, Validation } from './validation';

/** A training that is set up; `Fitted` is the trained state. */
export interface FitRun<Fitted> {
  /** The kind of the recommender. */
  readonly name: string;
  readonly data: Interactions;
  readonly options: { readonly epochs: number };
  readonly fitOptions: FilledFitOptions;
  readonly counts: RowCounts;
  readonly training: Training;
  readonly parameters: readonly Parameter[];
  /** What the update rule keeps of each factor. */
  readonly slots: readonly SlotSpec[];
  /** What a root mean squared error of training is multiplied by to be one of ratings; absent where the loss is not squared. */
  readonly rmseScale: number | undefined;
  /** The trained state as it is now, for what is measured. */
  judge(seen: Seen, turns: Turns): Promise<Judged>;
  /** The trained state at the end, when nothing trains on. */
  finish(seen: Seen, turns: Turns): Promise<Fitted>;
  /** Called once with the trained state; after an abort too, when a whole epoch was done. */
  install(fitted: Fitted): void;
  /** Gives way to other tasks between the passes over the data. */
  readonly turns: Turns;
}

/** Trains and installs the result. */
export async function runFit<Fitted>(run: FitRun<Fitted>): Promise<History> {
  const { name, data, options, fitOptions, counts, training, parameters, slots, rmseScale, turns } = run;
  const { validation, metrics, onEpoch, earlyStopping, signal } = fitOptions;
  const { users, items } = data;
  // The ratings of the trainer are given back before the history is laid out.
  const complete = async (breather: Turns) => {
    training.dispose();
    await breather.breathe();
    run.install(await run.finish(await Seen.of(data, counts, breather), breather));
  };
  let wholeEpochs = 0;
  try {
    const known = { users, items, counts, history: () => Seen.of(data, counts, turns) };
    const validated = validation && (await Validation.of(validation, metrics, known, turns));
    const kept = await checkpointPlan(
      {
        recommender: name,
        options,
        data: () => dataText(data, turns),
        validation: validation && (() => dataText(validation, turns)),
        parameters,
        slotsOf: () => slots,
        resume: (state) => training.resume(state),
        readState: (breather) => training.readState(breather),
      },
      fitOptions,
      turns,
    );
    wholeEpochs = kept.resume?.epochs.length ?? 0;
    const weight = meanWeight(data);
    const history = await train({ parameters }, training, {
      ...kept,
      epochs: options.epochs,
      ratings: data.size,
      rmseOf: rmseScale === undefined ? undefined : (mean) => rmseScale * Math.sqrt((2 * mean) / weight),
      validate: validated && (async () => validated.measure(await run.judge(validated.seen, turns), turns)),
      earlyStopping,
      onEpoch: (record) => {
        wholeEpochs++;
        return onEpoch?.(record);
      },
      signal,
      turns,
    });
    await complete(turns);
    return history;
  } catch (error) {
    // An abort leaves the last whole epoch in the factors, which are as good as those of fewer epochs.
    if (signal?.aborted && wholeEpochs > 0) await complete(new Breather(undefined));
    throw error;
  } finally {
    training.dispose();
  }
}

/** The mean loss is of weighted errors; a root mean squared error is not. */
function meanWeight({ weights, size }: Interactions): number {
  if (weights === undefined) return 1;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum > 0 ? sum / size : 1;
}
