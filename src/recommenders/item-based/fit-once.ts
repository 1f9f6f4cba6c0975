// A fit that has no epochs: the recommenders whose state is counted or solved for. It takes the options of every fit, as
// far as they have a meaning.

import { UnsupportedError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import { now, TaskScheduler } from '../../core/scheduler';
import type { History } from '../../training/fit';
import { type FilledFitOptions, refuseCheckpoints } from '../fit-options';

/** Runs `work`, giving way to other tasks, and tells how long it took. The history has no epochs. `work` installs last. */
export async function fitOnce(
  owner: string,
  { validation, signal, ...kept }: FilledFitOptions,
  work: (scheduler: Scheduler) => Promise<void>,
): Promise<History> {
  refuseCheckpoints(`${owner}.fit`, kept);
  if (validation !== undefined) {
    throw new UnsupportedError(
      `${owner}.fit: validation has nothing to watch, for there are no epochs and scores are no ratings; leave it out and measure afterwards`,
    );
  }
  const started = now();
  await work(new TaskScheduler(signal));
  return { epochs: [], bestEpoch: 0, stopped: 'epochs', seconds: (now() - started) / 1000 };
}
