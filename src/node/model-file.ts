// Checkpoints in a file that is always complete: after a kill it holds the last checkpoint or the one before.

import { open, readFile } from 'node:fs/promises';
import type { Bytes } from '../core/bytes';
import { DataError, FormatError } from '../core/errors';
import { checkRecommender } from '../evaluation/evaluation-options';
import { FORMAT_CHARACTERS, formatOfBytes, formatOfText } from '../io/text/formats';
import type { Recommender } from '../recommenders/recommender';
import { loadRecommender, type RecommenderKinds, type RecommenderName } from '../recommenders/registry';
import { fill } from './file-chunks';
import { writeFileAtomically } from './output-file';

/** The checkpoint file of a fit. */
export interface CheckpointFile {
  /** For `checkpoint.write` of a fit. */
  write(bytes: Uint8Array): Promise<void>;
  /** For `resume` of a fit: the checkpoint, or undefined if there is none yet. */
  read(): Promise<Bytes | undefined>;
}

/**
 * A file for the checkpoints of a fit. Each replaces the one before as a whole (temporary file, flush, rename).
 *
 * @throws (from its methods) DataError if the file cannot be written or read.
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

// Trained models as files: safetensors bytes, written completely or not at all. The recommender defines what the bytes
// mean.

/**
 * Saves a trained recommender to a file: a temporary file beside it, flushed to the disk, then renamed over it.
 *
 * @param options - passed on to `recommender.save`; `history: false` leaves out who has rated what.
 * @throws NotFittedError before `fit`; DataError with the path if the file cannot be written; OptionError unless
 * `model` is a recommender.
 * @example
 * ```ts
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { MF, syntheticInteractions } from 'opmf';
 * import { loadModel, saveModel } from 'opmf/node';
 * const model = new MF({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const path = join(tmpdir(), 'opmf-save-model.safetensors');
 * await saveModel(path, model);
 * console.log((await loadModel(path)).name); // mf
 * ```
 */
export async function saveModel(
  path: string,
  recommender: Pick<Recommender, 'save'>,
  options?: Parameters<Recommender['save']>[0],
): Promise<void> {
  await writeFileAtomically(path, checkRecommender(recommender, ['save']).save(options));
}

/**
 * Loads a recommender that `saveModel` wrote (or whose `save()` bytes were stored in any other way).
 *
 * @throws DataError if the file cannot be read; FormatError if it is not a model file of this library.
 * @example
 * ```ts
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { MF, syntheticInteractions } from 'opmf';
 * import { loadModel, saveModel } from 'opmf/node';
 * const model = new MF({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const path = join(tmpdir(), 'opmf-load-model.safetensors');
 * await saveModel(path, model);
 * const loaded = await loadModel(path);
 * console.log(loaded.predict('1', '1') === model.predict('1', '1')); // true
 * ```
 */
export async function loadModel(path: string): Promise<InstanceType<RecommenderKinds[RecommenderName]>> {
  return (await readModel(path)).recommender;
}

/** A recommender, and the bytes of its file. @throws as loadModel */
export async function readModel(path: string) {
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new DataError(`cannot read the model '${path}': ${reason}; want a file written by saveModel or opmf train`, {
      file: path,
    });
  }
  try {
    return { recommender: loadRecommender(bytes), bytes };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const format = formatOfBytes(bytes) ?? formatOfText(new TextDecoder().decode(bytes.subarray(0, FORMAT_CHARACTERS)));
    if (format === undefined || format.name.startsWith('a safetensors'))
      throw new FormatError(`${path}: ${error.message}`);
    // Only advice to decompress or fetch applies here: nothing else turns the file into a model.
    const advice = /^(decompress|unpack|fetch)/.test(format.advice)
      ? `; ${format.advice.replace(' > ratings.csv', ' > MODEL').replace(/, or read.*/, ': gzip -dc FILE > MODEL')}`
      : '';
    throw new FormatError(
      `${path}: it is ${format.name}, and no model; want a file written by saveModel or opmf train${advice}`,
    );
  }
}

/** The bytes of a file, which readFile gives up to 2 GiB. */
async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_FS_FILE_TOO_LARGE') throw error;
  }
  const file = await open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    await fill(file, bytes, 0);
    return bytes;
  } finally {
    await file.close();
  }
}
