// The lists of all users as a file: those of recommendEach, whole or not there, and to the same bytes after any stop.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALS,
  EASE,
  type Id,
  Interactions,
  loadRecommender,
  MF,
  NMF,
  OverparamMF,
  type RecommenderName,
  SVDpp,
  syntheticInteractions,
} from '../../src';
import { loadModel, saveModel } from '../../src/node/model-file';
import { ModelStripes } from '../../src/node/model-stripes';
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

describe('of a saved model', () => {
  const odd = (id: Id, at: number): Id => [Number(id), `${id}`, `é${id}`, `\ud800${id}`, `"${id}",`][at % 5]!;
  const rows = Interactions.from(
    [...syntheticInteractions({ users: 300, items: 50, ratings: 3000, seed: 4 })].map(
      ({ userId, itemId, value }) =>
        [odd(userId!, Number(userId)), odd(itemId!, Number(itemId)), value] as [Id, Id, number],
    ),
  );
  // A user and an item whose one row has weight 0: training never saw them.
  const weighted = Interactions.from([
    ...[...rows].map((row) => ({ ...row, weight: 1 })),
    { userId: 'unseen', itemId: 'never', value: 3, weight: 0 },
  ]);
  const common = { rank: 5, epochs: 1, seed: 3 };
  const kinds = [
    ['mf', () => new MF(common)],
    ['mf without biases', () => new MF({ ...common, biases: false, kernels: 'js' })],
    ['mf of pairs', () => new MF({ ...common, loss: 'bpr' })],
    ['overparam-mf', () => new OverparamMF({ ...common, overparam: { userEmbedding: { kind: 'scalar' } } })],
    ['als', () => new ALS(common)],
    ['svdpp', () => new SVDpp(common)],
    ['nmf', () => new NMF(common)],
  ] as const;

  test.each(kinds)('%s: stripes of every size have the lists of the loaded recommender', async (_, make) => {
    const model = make();
    await model.fit(model instanceof NMF ? rows : weighted);
    for (const history of [true, false]) {
      const path = join(folder, `stripes-${history}.safetensors`);
      await saveModel(path, model, { history });
      const loaded = await loadModel(path);
      const lists = [...loaded.users].map((id) => [id, loaded.recommend(id, { n: 7 })]);
      for (const bytes of [1, 1000, 1 << 25]) {
        const stripes = (await ModelStripes.open(path, bytes))!;
        expect(stripes.users).toBe(loaded.users.size);
        await stripes.verify();
        for (const [from, to] of [
          [0, stripes.users],
          [117, 201],
          [stripes.users, stripes.users],
        ] as const) {
          const found: unknown[] = [];
          let count = 0;
          for await (const { ids, recommender } of stripes.stripes(from, to)) {
            count++;
            for await (const pair of recommender.recommendEach(ids, { n: 7 })) found.push(pair);
          }
          expect(found).toEqual(lists.slice(from, to));
          if (bytes === 1) expect(count).toBe(to - from);
        }
        await stripes.close();
      }
    }
  });

  const path = join(folder, 'saved.safetensors');
  const files = { ndjson: join(folder, 'of-model.ndjson'), csv: join(folder, 'of-model.csv') };
  beforeAll(async () => {
    await saveModel(path, model);
    for (const file of Object.values(files)) await writeRecommendations(file, model, { n: 20 });
  });

  test('the file is that of the recommender, after a stop too', async () => {
    const out = join(folder, 'of-path.ndjson');
    expect(await writeRecommendations(out, path, { n: 20 })).toEqual({ users: model.users.size, resumed: 0 });
    expect(readFileSync(out).equals(readFileSync(files.ndjson))).toBe(true);
    rmSync(out);
    const stop = () => {
      throw new Error('stopped');
    };
    await expect(writeRecommendations(out, path, { n: 20, onProgress: stop })).rejects.toThrow('stopped');
    expect(existsSync(out)).toBe(false);
    const { resumed } = await writeRecommendations(out, path, { n: 20 });
    expect(resumed).toBeGreaterThan(0);
    expect(readFileSync(out).equals(readFileSync(files.ndjson))).toBe(true);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(writeRecommendations(out, path, { signal })).rejects.toThrow('enough');
  });

  test.each(['ndjson', 'csv'] as const)('%s: the parts, one after another, are the whole', async (kind) => {
    for (const total of [1, 3, 8, model.users.size + 2]) {
      const bytes: Buffer[] = [];
      // Of many parts the first and the last.
      const parts = Array.from({ length: total }, (_, k) => k + 1).filter((k) => total < 9 || k < 6 || k > total - 5);
      for (const index of parts) {
        const out = join(folder, `part-${index}.${kind}`);
        const from = index % 2 === 0 ? path : model;
        await writeRecommendations(out, from, { n: 20, part: { index, of: total } });
        bytes.push(readFileSync(out));
      }
      const whole = readFileSync(files[kind]);
      if (total < 9) expect(Buffer.concat(bytes).equals(whole)).toBe(true);
      else {
        expect(whole.indexOf(Buffer.concat(bytes.slice(0, 5)))).toBe(0);
        expect(whole.subarray(-Buffer.concat(bytes.slice(5)).length)).toEqual(Buffer.concat(bytes.slice(5)));
      }
    }
    const users = ['7', 'nobody', '9', '3'];
    const some = await Promise.all(
      [1, 2].map(async (index) => {
        const out = join(folder, `some-${index}.${kind}`);
        await writeRecommendations(out, path, { n: 2, users, part: { index, of: 2 } });
        return readFileSync(out);
      }),
    );
    const all = join(folder, `some.${kind}`);
    await writeRecommendations(all, model, { n: 2, users });
    expect(Buffer.concat(some).equals(readFileSync(all))).toBe(true);
    for (const part of [{ index: 0, of: 2 }, { index: 3, of: 2 }, { index: 1.5, of: 2 }, 2, null])
      await expect(writeRecommendations(all, model, { part: part as { index: number; of: number } })).rejects.toThrow(
        /part is .*; want { index, of }/,
      );
  });

  test('what is damaged is refused, and what is of another kind is loaded whole', async () => {
    const out = join(folder, 'refused.csv');
    const bytes = model.save();
    const bad = join(folder, 'bad.safetensors');
    for (const at of [45, bytes.length >> 1, bytes.length - 1]) {
      const copy = bytes.slice();
      copy[at]! ^= 1;
      writeFileSync(bad, copy);
      await expect(writeRecommendations(out, bad)).rejects.toThrow(/bad.safetensors: .*(damaged|no checksum)/);
    }
    for (const content of [bytes.subarray(0, -1), bytes.subarray(0, 100), new Uint8Array(3), 'userId,itemId\n1,2\n']) {
      writeFileSync(bad, content);
      await expect(writeRecommendations(out, bad)).rejects.toMatchObject({ name: 'FormatError' });
    }
    await expect(writeRecommendations(out, join(folder, 'none'))).rejects.toThrow(/there is no such file/);
    await expect(writeRecommendations(out, path, { exclude: [{} as Id] })).rejects.toMatchObject({ name: 'DataError' });
    expect(existsSync(out)).toBe(false);
    const ease = new EASE();
    await ease.fit(data);
    await saveModel(bad, ease);
    expect(await ModelStripes.open(bad)).toBeUndefined();
    expect(await writeRecommendations(out, bad, { n: 1 })).toEqual({ users: data.users.size, resumed: 0 });
    const again = join(folder, 'again.csv');
    await writeRecommendations(again, loadRecommender(ease.save()), { n: 1 });
    expect(readFileSync(out).equals(readFileSync(again))).toBe(true);
    expect(ease.name satisfies RecommenderName).toBe('ease');
  });

  test('opmf export --part writes a part of them', async () => {
    const [one, two] = ['cli-1.csv', 'cli-2.csv'].map((name) => join(folder, name));
    for (const [out, part] of [
      [one, '1/2'],
      [two, '2/2'],
    ])
      expect((await opmf('export', path, '--recommendations', out!, '--n', '20', '--part', part!)).code).toBe(0);
    expect(Buffer.concat([readFileSync(one!), readFileSync(two!)]).equals(readFileSync(files.csv))).toBe(true);
    const json = await opmf('export', path, '--recommendations', two!, '--part', '2/3', '--json');
    expect(JSON.parse(json.out)).toMatchObject({ model: 'mf', files: [{ part: { index: 2, of: 3 } }] });
    for (const part of ['3/2', '0/2', '2', 'x/y'])
      expect((await opmf('export', path, '--recommendations', two!, '--part', part)).err).toMatch(/want K\/N/);
    expect((await opmf('export', path, '--items', one!, '--part', '1/2')).err).toMatch(/--part is for/);
  });
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
