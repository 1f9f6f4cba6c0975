// Threads that are ended from outside at a random moment of a training, and of a comparison on the command line.

import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Campaign, during, folder, shell, Tally } from './campaign';

/** Loaded before the command line: ends one of its threads. */
const SABOTAGE = `
  import { createRequire, syncBuiltinESMExports } from 'node:module';
  const workers = createRequire(import.meta.url)('node:worker_threads');
  const { Worker } = workers;
  if (workers.isMainThread) {
    let started = 0;
    workers.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        if (started++ === 0) setTimeout(() => this.terminate(), Number(process.env.END_AFTER)).unref();
      }
    };
    syncBuiltinESMExports();
  }`;

const withoutSeconds = (document: string) =>
  JSON.stringify(JSON.parse(document, (key, value: unknown) => (/seconds/i.test(key) ? undefined : value)));

export const workers: Campaign = {
  name: 'workers',
  async run(seconds) {
    const fits = new Tally(
      'a thread of a fit is ended from outside at a random moment',
      'the fit ends in the same bits, or in a `ThreadError`; the process ends by itself',
    );
    const whole = JSON.parse((await shell('$CHILD threads 0')).stdout) as { bits: string };
    const usual = await shell('$CHILD threads 0');
    await during(seconds / 2, async () => {
      const { code, stdout, stderr } = await shell(
        `$CHILD threads ${1 + Math.round(usual.milliseconds * Math.random())}`,
      );
      const { error, bits } = (code === 0 ? JSON.parse(stdout) : {}) as { error?: string | null; bits?: string };
      fits.count(error === 'ThreadError' || bits === whole.bits ? null : `${error} ${bits} ${stderr}`);
    });
    const runs = new Tally(
      'a thread of `opmf compare` is ended from outside at a random moment',
      'the same document: its run is done again by another',
    );
    const place = folder();
    const sabotage = join(place, 'sabotage.mjs');
    writeFileSync(sabotage, SABOTAGE);
    const line = `$NODE --import ${resolve(sabotage)} dist/cli.js compare --epochs 3 --rank 4 --optimizers sgd,adam --threads 2 --json`;
    const alone = await shell(line, { env: { END_AFTER: '1000000' } });
    await during(seconds / 2, async () => {
      const { code, stdout, stderr } = await shell(line, {
        env: { END_AFTER: String(Math.round(alone.milliseconds * Math.random())) },
      });
      runs.count(
        code !== 0 ? stderr : withoutSeconds(stdout) === withoutSeconds(alone.stdout) ? null : 'another document',
      );
    });
    rmSync(place, { recursive: true });
    return [fits, runs];
  },
};
