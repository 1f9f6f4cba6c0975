// A training that is killed at a random moment: whatever is in the checkpoint's file loads, and the run that goes on from it
// ends in the bits of the one that never stopped.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, during, folder, shell, Tally } from './campaign';

export const kills: Campaign = {
  name: 'kills',
  async run(seconds) {
    const tally = new Tally(
      'SIGKILL at a random moment of a fit that keeps a `checkpointFile`, on 1 and 2 threads',
      'the file is whole, and going on from it ends in the bits of a fit that never stopped',
    );
    const place = folder();
    const train = (name: string, threads: number, killAfter?: number) =>
      shell(`$CHILD train ${join(place, name)}.checkpoint ${join(place, name)}.hash ${threads}`, {
        ...(killAfter === undefined ? {} : { killAfter }),
      });
    const hashOf = (name: string) => readFileSync(join(place, `${name}.hash`), 'utf8');
    const whole = await train('whole', 1);
    await during(seconds, async (at) => {
      const name = `run-${at}`;
      const threads = 1 + (at % 2);
      // Where the training is: not in the start of the process.
      const first = await train(name, threads, whole.milliseconds * (0.3 + 0.7 * Math.random()));
      const again = first.signal === 'SIGKILL' ? await train(name, 3 - threads) : first;
      const left = readdirSync(place).filter((file) => file.startsWith(`.${name}`));
      tally.count(
        again.code !== 0
          ? again.stderr
          : hashOf(name) !== hashOf('whole')
            ? 'other bits'
            : left.length > 1
              ? `${left.length} temporary files`
              : null,
      );
    });
    rmSync(place, { recursive: true });
    return [tally];
  },
};
