// A disk that is full, and files that may not grow: everything that writes a file, over one that is there and where none is.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, type Ended, folder, shell, Tally } from './campaign';

const OLD = 'what was there';

/** Everything that writes a file: a line for the shell, and the name of the file. */
const WRITERS: readonly (readonly [line: string, file: string])[] = [
  ['$CHILD save FOLDER/model.safetensors', 'model.safetensors'],
  ['$CHILD checkpoint FOLDER/fit.checkpoint', 'fit.checkpoint'],
  ['$CLI train --out FOLDER/model.safetensors --set epochs=1', 'model.safetensors'],
  ['$CLI export MODEL --items FOLDER/items.csv', 'items.csv'],
  ['$CLI export MODEL --items FOLDER/items.npy', 'items.npy'],
  [
    '$CLI compare --epochs 2 --rank 2 --optimizers sgd,adam,adagrad,rmsprop --threads 2 --out FOLDER/report.html',
    'report.html',
  ],
];

/** Null where a failure to write is told as it should be: a typed error in code, one line and code 1 on the command line. */
function badlyTold(line: string, { code, stdout, stderr }: Ended): string | null {
  if (line.startsWith('$CLI')) return code === 1 && /^opmf: .*\n$/.test(stderr) ? null : `code ${code}: ${stderr}`;
  const answer = (code === 0 ? JSON.parse(stdout) : {}) as { isTyped?: boolean; message?: string };
  return answer.isTyped && answer.message?.includes('cannot write') ? null : `code ${code}: ${stdout} ${stderr}`;
}

async function tryAll(tally: Tally, place: string, model: string, limit: string): Promise<void> {
  for (const [pattern, file] of WRITERS) {
    for (const isThere of [true, false]) {
      const path = join(place, file);
      if (isThere) writeFileSync(path, OLD);
      const line = pattern.replaceAll('FOLDER', place).replace('MODEL', model);
      const before = readdirSync(place);
      const told = badlyTold(pattern, await shell(`${limit}${line}`));
      const left = readdirSync(place).filter((name) => !before.includes(name));
      const kept = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
      tally.count(
        told !== null
          ? `${line}: ${told}`
          : left.length > 0
            ? `${line}: leaves ${left.join()}`
            : kept === (isThere ? OLD : undefined)
              ? null
              : `${line}: the old file is ${kept?.slice(0, 40)}`,
      );
      rmSync(path, { force: true });
    }
  }
}

export const disk: Campaign = {
  name: 'disk',
  async run() {
    const promised =
      'a typed error (on the command line a line and code 1) with the path; an earlier file is untouched, no temporary file is left';
    const place = folder();
    const model = join(place, 'a-model.safetensors');
    await shell(`$CLI train --out ${model} --set epochs=1`);
    const tallies: Tally[] = [];
    const small = join(place, 'small');
    mkdirSync(small);
    // Whoever may not mount a disk of a few pages has the other limit still.
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', small]).status === 0) {
      const full = new Tally('a full disk, under everything that writes a file', promised);
      tallies.push(full);
      try {
        await tryAll(full, small, model, '');
      } finally {
        spawnSync('umount', [small]);
      }
    } else console.error('no disk can be mounted here: a full one is not tried');
    const grown = new Tally('files that may not grow (`ulimit -f`), under everything that writes a file', promised);
    tallies.push(grown);
    await tryAll(grown, small, model, 'ulimit -f 4; ');
    rmSync(place, { recursive: true });
    return tallies;
  },
};
