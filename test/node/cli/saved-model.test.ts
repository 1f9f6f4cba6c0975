// What is asked of a saved model, how it comes to be in parts, and the reports and completions about it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syntheticInteractions } from '../../../src/data/synthetic';
import type { MF } from '../../../src/index';
import { checkpointFile, loadModel } from '../../../src/node/model-file';
import { opmf } from './opmf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-cli-'));
const [ratings, model] = [join(folder, 'ratings.csv'), join(folder, 'model.safetensors')];

beforeAll(async () => {
  const data = syntheticInteractions({ users: 40, items: 30, ratings: 500 });
  writeFileSync(
    ratings,
    ['user,item,rating', ...[...data].map((row) => `${row.userId},i${row.itemId},${row.value}`)].join('\n'),
  );
  await opmf('train', ratings, '--out', model, '--model', 'mf', '--set', 'epochs=3');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A user and an item that it has rated. */
async function rated() {
  const { users, items } = await loadModel(model);
  const [userId, itemId] = readFileSync(ratings, 'utf8').split('\n')[1]!.split(',') as [string, string];
  expect([users.has(userId), items.has(itemId)]).toEqual([true, true]);
  return { userId, itemId };
}

test('predict: the numbers of the model, and what it never saw', async () => {
  const { userId, itemId } = await rated();
  const recommender = await loadModel(model);
  const { out } = await opmf('predict', model, userId, itemId, 'nothing', '--json');
  expect(JSON.parse(out)).toEqual({
    ...{ model: 'mf', scores: 'rating', userId },
    items: [
      { itemId, score: recommender.predict(userId, itemId), basis: 'model' },
      { itemId: 'nothing', score: recommender.predict(userId, 'nothing'), basis: 'baseline' },
    ],
  });
  const text = await opmf('predict', model, userId, itemId, 'nothing');
  expect(text.out).toMatch(
    /^user \S+: ratings\n {2}i\d+ {2}\d\.\d{4}\n {2}nothing {2}\d\.\d{4} \(not in the training data\)\n$/,
  );
  expect((await opmf('predict', model, 'stranger', itemId)).out).toMatch(
    /^user stranger \(not in the training data\): ratings\n/,
  );
});

test('explain: what the rated items add, and kinds that cannot say', async () => {
  const { userId, itemId } = await rated();
  const { out } = await opmf('explain', model, userId, itemId, '--n', '2', '--json');
  const { contributions, score } = JSON.parse(out);
  const recommender = (await loadModel(model)) as MF;
  expect(contributions).toEqual(recommender.explain(userId, itemId, { n: 2 }));
  expect(score).toBe(recommender.predict(userId, itemId));
  const text = await opmf('explain', model, userId, itemId, '--n', '2');
  expect(text.out).toMatch(/^item i\d+ for user \d+: \d\.\d{4}, of which\n( {2}[+-]\d\.\d{4} {2}i\d+\n){2}$/);
  const unknown = await opmf('explain', model, 'stranger', itemId);
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('user "stranger"')]);
  const other = join(folder, 'other.safetensors');
  await opmf('train', ratings, '--out', other, '--model', 'popularity');
  const refused = await opmf('explain', other, userId, itemId);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("the scores of a 'popularity' are no sums")]);
});

test('info: kind, sizes, options, what it can do; a damaged file is a failure', async () => {
  const { users, items } = await loadModel(model);
  const document = JSON.parse((await opmf('info', model, '--json')).out);
  expect(document).toMatchObject({
    ...{ model: 'mf', bytes: readFileSync(model).length, users: users.size, items: items.size, ratings: 500 },
    ...{ history: true, scores: 'rating', epochs: 3, options: { rank: 32, epochs: 3 } },
    can: expect.arrayContaining(['similarItems', 'explain', 'foldInUser']),
  });
  const { out } = await opmf('info', model);
  expect(out).toMatch(/\n {2}model +mf\n/);
  expect(out).toMatch(/\n {2}optimizer\.name +sgd\n/);
  const damaged = join(folder, 'damaged.safetensors');
  writeFileSync(damaged, readFileSync(model).fill(7, 2000, 2040));
  const { code, err } = await opmf('info', damaged);
  expect([code, err]).toEqual([1, expect.stringMatching(/^opmf: .*damaged\.safetensors: .*\n$/)]);
});

test('recommend --all writes what export --recommendations writes', async () => {
  const [one, other] = [join(folder, 'one.ndjson'), join(folder, 'other.ndjson')];
  const { out, code } = await opmf('recommend', model, '--all', '--out', one, '--n', '3');
  await opmf('export', model, '--recommendations', other, '--n', '3');
  expect([code, out]).toEqual([0, `lists of 40 users to ${one}\n`]);
  expect(readFileSync(one)).toEqual(readFileSync(other));
  const part = await opmf('recommend', model, '--all', '--out', join(folder, 'part.csv'), '--part', '1/2', '--json');
  expect(JSON.parse(part.out)).toMatchObject({ users: 20, n: 10, part: { index: 1, of: 2 } });
});

test('train --checkpoint, stopped after an epoch and gone on with, ends in the same file', async () => {
  const [whole, checkpoint, resumed] = ['whole', 'kept', 'resumed'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const flags = ['--model', 'mf', '--set', 'epochs=4', '--set', 'rank=4'];
  await opmf('train', ratings, '--out', whole, ...flags);
  const first = await opmf(
    'train',
    ratings,
    '--out',
    resumed,
    ...flags,
    '--checkpoint',
    checkpoint,
    '--every',
    '3',
    '--resume',
  );
  expect([first.code, first.err]).toEqual([0, `opmf train: ${checkpoint} is not there yet: from the start\n`]);
  expect(readFileSync(resumed)).toEqual(readFileSync(whole));
  // The checkpoint is that of epoch 3: what goes on trains one.
  rmSync(resumed);
  expect(await checkpointFile(checkpoint).read()).toBeDefined();
  const again = await opmf(
    'train',
    ratings,
    '--out',
    resumed,
    ...flags,
    '--checkpoint',
    checkpoint,
    '--every',
    '3',
    '--resume',
  );
  expect([again.code, again.err]).toEqual([0, '']);
  expect(readFileSync(resumed)).toEqual(readFileSync(whole));
  const other = await opmf(
    'train',
    ratings,
    '--out',
    resumed,
    ...flags,
    '--set',
    'loss=logistic',
    '--checkpoint',
    checkpoint,
    '--resume',
  );
  expect(other.code).not.toBe(0);
});

test('train --report and tune --report are pages with curves', async () => {
  const page = join(folder, 'report.html');
  const model2 = join(folder, 'reported.safetensors');
  const flags = ['--model', 'mf', '--set', 'epochs=2', '--test-fraction', '.2'];
  await opmf('train', ratings, '--out', model2, ...flags);
  const plain = readFileSync(model2);
  expect((await opmf('train', ratings, '--out', model2, ...flags, '--report', page)).code).toBe(0);
  expect(readFileSync(model2)).toEqual(plain);
  const text = readFileSync(page, 'utf8');
  for (const label of ['training loss', 'training RMSE', 'test RMSE', 'test MAE'])
    expect(text).toContain(`<title>${label}</title>`);
  expect(text.match(/<tr><td>/g)).toHaveLength(2);
  await opmf('train', ratings, '--out', model2, '--model', 'popularity', '--report', page);
  expect(readFileSync(page, 'utf8')).toContain('<h1>popularity on ');
  const tuned = await opmf('tune', ratings, '--trials', '2', '--set', 'epochs=1', '--threads', '1', '--report', page);
  expect(tuned.code).toBe(0);
  expect(readFileSync(page, 'utf8')).toMatch(/<title>rmse<\/title>.*best so far.*<td>2<\/td>/s);
});

describe('completion', () => {
  const has = (program: string) => spawnSync(program, ['-c', ':']).status === 0;
  const words = (text: string) => text.trim().split(/\s+/);

  test('bash completes commands, flags, values, data sets and files', async () => {
    const script = join(folder, 'opmf.bash');
    writeFileSync(script, (await opmf('completion', 'bash')).out);
    const complete = (...line: string[]) => {
      const code =
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _opmf; printf "%s\\n" "${COMPREPLY[@]}"';
      return words(execFileSync('bash', ['-c', code, 'bash', script, ...line], { cwd: folder, encoding: 'utf8' }));
    };
    expect(complete('opmf', 'tr')).toEqual(['train']);
    expect(complete('opmf', 'train', '--che')).toEqual(['--checkpoint']);
    expect(complete('opmf', 'train', '--model', 'item')).toEqual(['item-knn']);
    expect(complete('opmf', 'compare', '--terms', '')).toEqual(['paper', 'matched', 'tuned']);
    expect(complete('opmf', 'train', '--header', '')).toEqual(['yes', 'no']);
    expect(complete('opmf', 'train', 'ml-1')).toEqual(['ml-100k', 'ml-1m']);
    expect(complete('opmf', 'train', 'rat')).toEqual(['ratings.csv']);
    expect(complete('opmf', 'train', '--out', 'mod')).toEqual(['model.safetensors']);
    expect(complete('opmf', 'datasets', 'f')).toEqual(['fetch', 'filmtrust']);
  });

  (has('zsh') ? test : test.skip)('zsh reads it', async () => {
    const script = join(folder, 'opmf.zsh');
    writeFileSync(script, (await opmf('completion', 'zsh')).out);
    const code = 'source "$1"; print -r -- ${_comps[opmf]}';
    expect(execFileSync('zsh', ['-f', '-c', code, 'zsh', script], { encoding: 'utf8' })).toContain('_opmf');
  });

  (has('fish') ? test : test.skip)('fish completes with it', async () => {
    const script = join(folder, 'opmf.fish');
    writeFileSync(script, (await opmf('completion', 'fish')).out);
    const complete = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', `source ${script}; complete -C '${line}'`], {
        encoding: 'utf8',
        cwd: folder,
      })
        .split('\n')
        .map((row) => row.split('\t')[0])
        .filter((word) => word !== '');
    expect(complete('opmf tr')).toEqual(['train']);
    expect(complete('opmf train --model item')).toEqual(['item-knn']);
    expect(complete('opmf train --checkp')).toEqual(['--checkpoint']);
    expect(complete('opmf evaluate ml-1')).toEqual(['ml-100k', 'ml-1m']);
  });
});
