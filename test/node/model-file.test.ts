// A model through a file: the same predictions, and errors that name the file.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, FormatError, NotFittedError, OptionError } from '../../src/core/errors';
import { syntheticInteractions } from '../../src/data/synthetic';
import { loadModel, saveModel } from '../../src/node/model-file';
import { OverparamMF } from '../../src/recommenders/overparam-mf';

const data = syntheticInteractions({ users: 30, items: 20, ratings: 200 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('what is saved predicts the same after a load', async () => {
  const model = new OverparamMF({ rank: 3, epochs: 1 });
  await model.fit(data);
  const path = join(folder, 'model.safetensors');
  await saveModel(path, model);
  const loaded = await loadModel(path);
  expect(loaded.name).toBe('overparam-mf');
  expect(loaded.predictMany(data)).toEqual(model.predictMany(data));
});

test('what is no recommender is not saved', async () => {
  for (const given of [undefined, null, {}, 'mf', Symbol('x')])
    await expect(saveModel(join(folder, 'none'), given as never)).rejects.toThrow(OptionError);
});

test('without history a loaded model no longer leaves out what was rated', async () => {
  const model = new OverparamMF({ rank: 3, epochs: 1 });
  await model.fit(data);
  const path = join(folder, 'without.safetensors');
  await saveModel(path, model, { history: false });
  const every = (await loadModel(path)).recommend('1', { n: 20, filterSeen: false });
  expect(every.length).toBeGreaterThan(model.recommend('1', { n: 20 }).length);
});

test('an untrained model writes nothing', async () => {
  await expect(saveModel(join(folder, 'untrained'), new OverparamMF())).rejects.toThrow(NotFittedError);
  expect(await readdir(folder)).not.toContain('untrained');
});

test('a place that cannot be written is a typed error with the path', async () => {
  const model = new OverparamMF({ rank: 3, epochs: 1 });
  await model.fit(data);
  for (const path of [join(folder, 'none', 'model'), folder]) {
    const error = await saveModel(path, model).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.place.file).toBe(path);
    expect(error.message).toContain(JSON.stringify(path));
  }
});

test('a file that readFile finds too large is read in pieces', async () => {
  const path = join(folder, 'large.safetensors');
  const model = new OverparamMF({ rank: 3, epochs: 1 });
  await model.fit(data);
  await saveModel(path, model);
  const tooLarge = Object.assign(new Error('File size is greater than 2 GiB'), { code: 'ERR_FS_FILE_TOO_LARGE' });
  const spy = jest.spyOn(require('node:fs/promises'), 'readFile').mockRejectedValueOnce(tooLarge);
  expect((await loadModel(path)).predict('1', '2')).toBe(model.predict('1', '2'));
  expect(spy).toHaveBeenCalledTimes(1);
  spy.mockRestore();
});

test('a missing file and a foreign one are typed errors that name the path', async () => {
  const missing = join(folder, 'missing');
  await expect(loadModel(missing)).rejects.toThrow(DataError);
  await expect(loadModel(missing)).rejects.toThrow(`cannot read the model '${missing}': there is no such file`);
  const foreign = join(folder, 'foreign');
  await writeFile(foreign, 'user,item,rating\n');
  await expect(loadModel(foreign)).rejects.toThrow(FormatError);
  await expect(loadModel(foreign)).rejects.toThrow(foreign);
});
