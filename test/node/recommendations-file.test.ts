// The lists of all users as a file: those of recommendEach, whole or not there, and to the same bytes after any stop.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Id, Interactions, MF, syntheticInteractions } from '../../src';
import { saveModel } from '../../src/node/model-file';
import { writeRecommendations } from '../../src/node/recommendations-file';
import { opmf } from './cli/opmf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-lists-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Enough users that their lists take several parts.
const data = syntheticInteractions({ users: 2500, items: 60, ratings: 9000, seed: 2 });
const model = new MF({ rank: 3, epochs: 1 });
beforeAll(async () => {
  await model.fit(data);
});

/** Asks for the lists of `most` users and then fails, as a process that is killed between two parts would stop. */
function stopping(most: number) {
  return {
    users: model.users,
    save: () => model.save(),
    async *recommendEach(ids: Iterable<Id>, options?: Parameters<MF['recommendEach']>[1]) {
      let left = most;
      for await (const pair of model.recommendEach(ids, options)) {
        if (left-- === 0) throw new Error('stopped');
        yield pair;
      }
    },
  };
}

test('NDJSON: a user a line, as recommendEach gives them', async () => {
  const path = join(folder, 'few.ndjson');
  const users = ['5', '17', 'nobody'];
  expect(await writeRecommendations(path, model, { n: 3, users })).toEqual({ users: 3, resumed: 0 });
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual(
    users.map((userId) => {
      const list = model.recommend(userId, { n: 3 });
      return { userId, basis: list.basis, items: [...list] };
    }),
  );
});

test('CSV: an item a line, quoted where it must be', async () => {
  const odd = new MF({ rank: 2, epochs: 1 });
  await odd.fit(
    Interactions.from([
      ['a,"b"', 'x', 1],
      ['a,"b"', '', 2],
      ['c', 'y\n', 3],
      ['c', 'x', 2],
    ]),
  );
  const path = join(folder, 'odd.csv');
  await writeRecommendations(path, odd, { n: 2, filterSeen: false });
  const [head, first] = readFileSync(path, 'utf8').split('\n');
  expect(head).toBe('userId,itemId,rank,score');
  expect(first!.startsWith('"a,""b""",')).toBe(true);
});

test('after a stop the same call goes on, to the same bytes; another one starts anew', async () => {
  const whole = join(folder, 'whole.ndjson');
  await writeRecommendations(whole, model, { n: 20 });
  const expected = readFileSync(whole);
  const path = join(folder, 'stopped.ndjson');
  const progress = () => JSON.parse(readFileSync(`${path}.part.json`, 'utf8')) as { users: number; bytes: number };
  await expect(writeRecommendations(path, stopping(2200), { n: 20 })).rejects.toThrow('stopped');
  expect([existsSync(path), progress().users > 500]).toEqual([false, true]);
  // What a killed process had written past the last point that is known.
  appendFileSync(`${path}.part`, '{"userId":"half of a li');
  const known = progress().users;
  expect(await writeRecommendations(path, model, { n: 20 })).toEqual({ users: model.users.size, resumed: known });
  expect(readFileSync(path).equals(expected)).toBe(true);
  expect([existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false]);

  await expect(writeRecommendations(path, stopping(2200), { n: 20 })).rejects.toThrow('stopped');
  expect(readFileSync(path).equals(expected)).toBe(true);
  expect((await writeRecommendations(path, model, { n: 19 })).resumed).toBe(0);

  for (const damage of [
    () => writeFileSync(`${path}.part`, 'short'),
    () => writeFileSync(`${path}.part.json`, '{'),
    () => rmSync(`${path}.part`),
  ]) {
    await expect(writeRecommendations(path, stopping(2200), { n: 20 })).rejects.toThrow('stopped');
    damage();
    expect((await writeRecommendations(path, model, { n: 20 })).resumed).toBe(0);
    expect(readFileSync(path).equals(expected)).toBe(true);
  }
});

test('an abort stops it, and what it may not be called with is refused by name', async () => {
  const path = join(folder, 'no.ndjson');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(writeRecommendations(path, model, { signal })).rejects.toThrow('enough');
  await expect(writeRecommendations(join(folder, 'x.txt'), model)).rejects.toThrow(/want a name that ends in .ndjson/);
  await expect(writeRecommendations(path, model, { n: -1 })).rejects.toMatchObject({ option: 'n' });
  await expect(writeRecommendations(join(folder, 'not', 'there.csv'), model)).rejects.toThrow(
    /want a path in a folder/,
  );
  await expect(writeRecommendations(path, new MF())).rejects.toMatchObject({ name: 'NotFittedError' });
});

test('opmf export writes them, and a model of Spark', async () => {
  const [file, lists, spark] = ['m.safetensors', 'cli.csv', 'als'].map((name) => join(folder, name));
  await saveModel(file!, model);
  const { code, out } = await opmf(
    'export',
    file!,
    '--recommendations',
    lists!,
    '--n',
    '2',
    '--spark',
    spark!,
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(out).files).toEqual([
    { path: lists, users: model.users.size, resumed: 0, n: 2 },
    { path: spark, ids: 'number' },
  ]);
  expect(readFileSync(lists!, 'utf8').trimEnd().split('\n')).toHaveLength(1 + 2 * model.users.size);
  expect((await opmf('export', file!, '--spark', spark!)).err).toMatch(/there is something already/);
});
