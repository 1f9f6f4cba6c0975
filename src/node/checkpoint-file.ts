// Checkpoints in a file that is always whole: a process that is killed leaves the last one, or the one before.

import { readFile } from 'node:fs/promises';
import { DataError } from '../core/errors';
import { writeFileAtomically } from './write-file-atomically';

/** Where a fit keeps its checkpoints. */
export interface CheckpointFile {
  /** For `checkpoint.write` of a fit. */
  write(bytes: Uint8Array): Promise<void>;
  /** For `resume` of a fit: the checkpoint, or undefined where there is none yet. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/**
 * A file for the checkpoints of a fit. Each replaces the one before as a whole (temporary file, flush, rename).
 *
 * @throws (its calls) DataError where the file cannot be written or read.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { MF, syntheticInteractions } from 'opmf';
 * import { checkpointFile } from 'opmf/node';
 * const data = syntheticInteractions({ users: 50, items: 40, ratings: 500 });
 * const { read, write } = checkpointFile(join(await mkdtemp(join(tmpdir(), 'opmf-')), 'fit.checkpoint'));
 * const { epochs } = await new MF({ epochs: 4 }).fit(data, { checkpoint: { every: 2, write }, resume: await read() });
 * console.log(epochs.length, (await read()) !== undefined); // 4 true
 * ```
 */
export function checkpointFile(path: string): CheckpointFile {
  return {
    write: (bytes) => writeFileAtomically(path, bytes),
    async read() {
      try {
        return new Uint8Array(await readFile(path));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new DataError(`cannot read the checkpoint ${path}: ${(error as Error).message}`, { file: path });
      }
    },
  };
}
