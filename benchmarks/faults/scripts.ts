// Campaigns that are scripts of their own: each run has a seed and so many trials, and ends with code 0 where all held. In
// processes of their own: one that hangs is a failure too.

import { type Campaign, during, shell, Tally } from './campaign';

/** `script` is run with the number of trials and a seed; what it prints of a failure is kept. */
function scripted(name: string, script: string, trials: number, fault: string, promised: string): Campaign {
  return {
    name,
    async run(seconds) {
      const tally = new Tally(fault, promised);
      await during(seconds, async (at) => {
        const { code, stdout, stderr } = await shell(`$NODE benchmarks/run.mjs ${script} ${trials} ${at + 1}`);
        if (code !== 0) tally.count(`seed ${at + 1}: ${stdout} ${stderr}`);
        else for (let one = 0; one < trials; one++) tally.count(null);
      });
      return [tally];
    },
  };
}

export const damage = scripted(
  'damage',
  'benchmarks/implicit/fuzz-some.ts',
  2000,
  'files of every kind of model with bytes flipped, cut, put in or exchanged',
  '`FormatError`, or a model that answers with numbers',
);

export const fits = scripted(
  'fits',
  'benchmarks/faults/fits.ts',
  100,
  'fits over options and data, ordinary and not',
  'an error of the library, or a model that answers with finite numbers and is saved and loaded',
);

export const options = scripted(
  'options',
  'benchmarks/faults/options.ts',
  1200,
  'random options objects of every recommender',
  'an error of the library, or a model that answers with finite numbers and is saved and loaded',
);
