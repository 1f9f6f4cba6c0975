// The command line from words to exit code: 0 done, 1 failed, 2 called in the wrong way; JSON alone on standard
// output; one line and no stack trace for whatever goes wrong.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../../package.json';
import { OPTIMIZER_NAMES } from '../../../src/optimizers/registry';
import { opmf } from './opmf';

let folder: string;
let ratings: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-cli-'));
  ratings = join(folder, 'ratings.csv');
  model = join(folder, 'model.safetensors');
  const lines = ['user,item,rating'];
  for (let user = 1; user <= 20; user++) {
    for (let item = 1; item <= 12; item++)
      if ((user + item) % 5 !== 0) lines.push(`${user},i${item},${1 + ((user + item) % 5)}`);
  }
  await writeFile(ratings, lines.join('\n'));
  await mkdir(join(folder, 'filmtrust'));
  await writeFile(join(folder, 'filmtrust', 'ratings.txt'), '1 1 2\n1 2 4\n2 1 3.5\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('help', () => {
  test('opmf --help lists the commands, and --version prints the version', async () => {
    const { code, out, err } = await opmf('--help');
    expect([code, err]).toEqual([0, '']);
    for (const name of [
      'compare',
      'train',
      'evaluate',
      'recommend',
      'similar',
      'export',
      'tune',
      'datasets',
      'bench',
      'partition',
      'worker',
      'predict',
      'explain',
      'info',
      'completion',
    ])
      expect(out).toContain(`  ${name} `);
    expect((await opmf('--version')).out).toBe(`${version}\n`);
  });

  test.each([
    'compare',
    'train',
    'evaluate',
    'recommend',
    'similar',
    'export',
    'tune',
    'datasets',
    'bench',
    'partition',
    'worker',
    'predict',
    'explain',
    'info',
    'completion',
  ])('opmf %s --help has the form and an example', async (name) => {
    const { code, out, err } = await opmf(name, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`usage: opmf ${name} `);
    expect(out).toContain(`Example:\n  opmf ${name} `);
  });
});

describe('wrong usage exits 2 with the reason and the right form, each in one line', () => {
  test.each([
    [[], 'opmf: no command; want one of compare'],
    [['comapre'], "opmf: unknown command 'comapre'; did you mean 'compare'?"],
    [['tune', '--space', 'rank'], "opmf: tune: --space is 'rank'; want NAME=a,b,c"],
    [['datasets', 'get', 'ml-100k'], 'opmf: datasets: want list, path NAME or fetch NAME'],
    [['datasets', 'fetch'], 'opmf: datasets: datasets fetch wants the name of one data set'],
    [['datasets', '--from', 'x'], 'opmf: datasets: --from is for datasets fetch NAME'],
    [['datasets', 'path'], 'opmf: datasets: datasets path wants the name'],
    [['compare', '--sedes', '3'], "opmf: compare: unknown flag '--sedes'; did you mean '--seeds'?"],
    [['compare', '--terms', 'fair'], 'opmf: compare: --terms is "fair"; want one of paper, matched, tuned'],
    [['compare', '--optimizers', 'sgd,adams'], 'opmf: compare: --optimizers: "adams" is no optimizer'],
    [
      ['compare', '--overparams', 'scalar-2'],
      'opmf: compare: --overparams: "scalar-2" is no arm; want KIND-SCOPE-DEPTH',
    ],
    [['compare', '--rank', '0'], 'opmf: compare: --rank is "0"; want a whole number of at least 1'],
    [['compare', '--test-fraction', '1'], 'opmf: compare: --test-fraction is "1"; want a number between 0 and 1'],
    [['compare', '--rank', '15', '--overparams', 'dense-2x4', '--epochs', '1'], 'opmf: compare: '],
    [['compare', '--metrics', 'ndcg@10'], 'opmf: compare: --metrics are of --models, of which there are none'],
    [['compare', '--models', 'mf', '--metrics', 'ndgc@10'], 'opmf: compare: --metrics: "ndgc@10" is not known'],
    [['compare', 'a', 'b'], 'opmf: compare: unexpected argument "b"'],
    [['train'], 'opmf: train: --out is missing'],
    [['train', '--out', 'x', '--set', 'rank'], 'opmf: train: --set is "rank"; want NAME=VALUE'],
    [['train', '--out', 'x', '--set', 'rnak=3'], "unknown option 'rnak'; did you mean 'rank'?"],
    [['train', '--out', 'x', '--set', 'rank=0'], 'rank is 0; want a whole number'],
    [['train', '--out', 'x', '--model', 'overparam'], 'opmf: train: '],
    [['evaluate', 'model'], 'opmf: evaluate: DATA is missing after "model"'],
    [
      ['evaluate', 'm', 'd', '--metrics', 'rmse,ndgc@5'],
      'opmf: evaluate: --metrics: "ndgc@5" is not known; want some of rmse, mae, precision@K',
    ],
    [['evaluate', 'm', 'd', '--metrics', 'auc'], 'opmf: evaluate: --metrics auc needs --train DATA'],
    [['recommend', 'model'], 'opmf: recommend: USER is missing after "model"'],
    [['recommend', 'model', 'u', '--n', 'ten'], 'opmf: recommend: --n is "ten"; want a whole number'],
    [['recommend', 'model', '-5'], 'unknown flag "-5"; flags have two dashes; write -- before'],
    [['train', '--out', 'x', '--set', 'rank=4', '--set', 'rank=8'], 'opmf: train: --set rank is given twice'],
    [['train', '--out', 'x', '--set', 'seed=9', '--seed', '3'], 'opmf: train: --seed and --set seed: give one'],
    [['similar'], 'opmf: similar: MODEL is missing'],
    [['recommend', 'model', '--all'], 'opmf: recommend: --out is missing: with --all'],
    [['recommend', 'model', '--all', '--out', 'x.txt'], "opmf: recommend: --out is 'x.txt'; want a name that ends in"],
    [['recommend', 'model', '42', '--all', '--out', 'x.csv'], 'opmf: recommend: --all means all users; leave out "42"'],
    [['recommend', 'model', '42', '--out', 'x.csv'], 'opmf: recommend: --out is for --all'],
    [['train', '--out', 'x', '--resume'], 'opmf: train: --resume needs --checkpoint FILE'],
    [['train', '--out', 'x', '--every', '2'], 'opmf: train: --every needs --checkpoint FILE'],
    [['train', '--out', 'x', '--checkpiont', 'y'], "unknown flag '--checkpiont'; did you mean '--checkpoint'?"],
    [['predict', 'model', '42'], 'opmf: predict: ITEM is missing after "42"'],
    [['explain', 'model', '42', '50', '--m', '3'], "opmf: explain: unknown flag '--m'; did you mean '--n'?"],
    [['info'], 'opmf: info: MODEL is missing'],
    [['completion', 'csh'], "opmf: completion: the shell is 'csh'; want bash, zsh or fish"],
  ])('opmf %j', async (argv, reason) => {
    const { code, out, err } = await opmf(...argv);
    expect(err).toContain(reason);
    expect(err.split('\n')).toHaveLength(3);
    expect(err.split('\n')[1]).toMatch(/^usage: opmf /);
    expect([code, out]).toEqual([2, '']);
  });
});

describe('a failure exits 1 with one line', () => {
  test.each([
    [['compare', 'no-such-set'], /no file "no-such-set".*sets on this machine: synthetic-100k.*known: ml-100k/],
    [['compare', '--out', '/no/such/folder/report.html'], /cannot write into "\/no\/such\/folder"/],
    [['train', '--out', '/no/such/folder/model'], /cannot write into "\/no\/such\/folder"/],
    [['train', '--out', tmpdir()], /it is a folder; want the path of a file/],
    [['evaluate', '/no/such/model', 'x'], /cannot read the model '\/no\/such\/model': there is no such file/],
    [['recommend', __filename, 'u'], /run\.test\.ts: .*safetensors/],
  ])('opmf %j', async (argv, message) => {
    const { code, out, err } = await opmf(...argv);
    expect(err).toMatch(message);
    expect(err).toMatch(/^opmf: [^\n]*\n$/);
    expect([code, out]).toEqual([1, '']);
  });

  test('--debug adds the stack trace', async () => {
    const { code, err } = await opmf('recommend', '/no/such/model', 'u', '--debug');
    expect(code).toBe(1);
    expect(err).toMatch(/\n {4}at /);
  });
});

describe('datasets', () => {
  test('lists sets with the built-in one, as text and as JSON', async () => {
    const text = await opmf('datasets', '--data-dir', folder);
    expect(text.out).toMatch(/^synthetic-100k +built in/);
    expect(text.out).toContain(`in ${join(folder, 'filmtrust')}`);
    const sets = JSON.parse((await opmf('datasets', 'list', '--json', '--data-dir', folder)).out);
    expect(sets.find((set: { name: string }) => set.name === 'filmtrust')).toMatchObject({ isPresent: true });
  });

  test('prints the folder of one', async () => {
    expect((await opmf('datasets', 'path', 'filmtrust', '--data-dir', folder)).out).toBe(
      `${join(folder, 'filmtrust')}\n`,
    );
  });
});

describe('train, evaluate, recommend, similar', () => {
  test('train writes a model and prints one JSON document', async () => {
    const { code, out, err } = await opmf(
      'train',
      ratings,
      '--out',
      model,
      '--set',
      'rank=4',
      '--set',
      'epochs=3',
      '--test-fraction',
      '.2',
      '--json',
    );
    expect([code, err]).toEqual([0, '']);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ model: 'overparam-mf', dataset: ratings, out: model });
    expect(document.epochs.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2, 3]);
    expect(document.test.rmse).toBeGreaterThan(0);
    expect(document.test.count).toBe(38);
    expect(document.seconds).toBeGreaterThan(0);
  });

  test('train prints epochs and the test error as text', async () => {
    const { code, out } = await opmf(
      'train',
      ratings,
      '--out',
      model,
      '--model',
      'mf',
      '--set',
      'epochs=2',
      '--test-fraction',
      '.2',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^mf on .*\n {2}epoch {3}1: training loss \d/);
    expect(out).toMatch(/test RMSE \d\.\d{4}, MAE \d\.\d{4} on 38 ratings/);
    expect(out).toContain(`saved to ${model}`);
  });

  test('a recommender that only counts is trained and asked; flags that it has no use for are refused', async () => {
    const { code, out } = await opmf('train', ratings, '--out', model, '--model', 'popularity');
    expect([code, out]).toEqual([0, expect.stringMatching(/^popularity on .*\ntrained in /)]);
    const asked = await opmf('recommend', model, '1', 'stranger', '--n', '1');
    expect(asked.out).toMatch(/^user 1\n {3}1\. i[49] {2}16 ratings\nuser stranger\n/);
    const refused = await opmf('train', ratings, '--out', model, '--model', 'popularity', '--seed', '2');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('popularity takes no --seed')]);
  });

  test('ratings are no labels: a model of features says which values, and what to set', async () => {
    const { code, err } = await opmf('train', ratings, '--out', model, '--model', 'fm');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/data\.values\[\d+\] is \d; want 0 or 1.*task: 'regression'/),
    ]);
    const set = await opmf(
      'train',
      ratings,
      '--out',
      model,
      '--model',
      'fm',
      '--set',
      'task=regression',
      '--set',
      'epochs=1',
    );
    expect(set.code).toBe(0);
  });

  test('what scores no ratings is reported on by its lists, by train and evaluate alike', async () => {
    for (const kind of ['popularity', 'item-knn', 'als']) {
      const flags = ['--out', model, '--model', kind, '--test-fraction', '.2', '--seed', '2'];
      const { code, out } = await opmf('train', ratings, ...flags);
      expect([code, out]).toEqual([0, expect.stringMatching(/test NDCG@10 \d\.\d{4} for \d+ users, \d+ of them cold/)]);
      const { test: reported } = JSON.parse((await opmf('train', ratings, ...flags, '--json')).out);
      // What was held out is all that the model has not seen of the file.
      const document = JSON.parse((await opmf('evaluate', model, ratings, '--json')).out);
      expect(Object.keys(document.metrics)).toEqual(['ndcg@10']);
      expect(document.metrics['ndcg@10']).toBeCloseTo(reported.metrics['ndcg@10'], 12);
      expect([document.count, document.seen]).toEqual([38, 154]);
      const wrong = await opmf('evaluate', model, ratings, '--metrics', 'rmse');
      expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("ask for a ranking metric, as 'ndcg@10'")]);
    }
  });

  test('the same seed gives the same file', async () => {
    const other = join(folder, 'again.safetensors');
    for (const out of [model, other]) await opmf('train', ratings, '--out', out, '--set', 'epochs=1', '--seed', '3');
    expect(await readFile(other)).toEqual(await readFile(model));
  });

  test('evaluate prints the metrics that are asked for, and leaves out what is in --train', async () => {
    await opmf('train', ratings, '--out', model, '--set', 'epochs=2');
    for (const flags of [[], ['--json'], ['--metrics', 'ndcg@10']]) {
      const trained = await opmf('evaluate', model, ratings, ...flags);
      expect([trained.code, trained.out]).toEqual([1, '']);
      expect(trained.err).toContain('so there is nothing unseen in it; want ratings that were held out');
    }
    await opmf('train', ratings, '--out', model, '--set', 'epochs=2', '--test-fraction', '.5');
    const all = JSON.parse((await opmf('evaluate', model, ratings, '--json')).out);
    expect([all.count, all.seen]).toEqual([96, 96]);
    expect(all.metrics.rmse).toBeGreaterThan(0);
    expect(all.metrics.mae).toBeLessThanOrEqual(all.metrics.rmse);
    const none = await opmf('evaluate', model, ratings, '--train', ratings);
    expect([none.code, none.out]).toEqual([1, '']);
    expect(none.err).toBe(
      `opmf: every pair of user and item in ${ratings} is in --train too, so there is nothing to measure\n`,
    );
    const part = join(folder, 'part.csv');
    await writeFile(part, (await readFile(ratings, 'utf8')).split('\n').slice(0, 51).join('\n'));
    const rest = JSON.parse(
      (await opmf('evaluate', model, ratings, '--train', part, '--metrics', 'mae', '--json')).out,
    );
    expect(Object.keys(rest.metrics)).toEqual(['mae']);
    expect(rest.count).toBeLessThan(all.count);
    expect(rest.count + rest.seen).toBe(142);
    const { out } = await opmf('evaluate', model, ratings, '--metrics', 'rmse');
    expect(out).toContain(`rmse  ${all.metrics.rmse.toFixed(4)}`);
    expect(out).toContain('; 96 more that the model was trained on are left out');
  });

  test('evaluate ranks what users did not have in training', async () => {
    const lines = (await readFile(ratings, 'utf8')).split('\n').filter((line) => line !== '');
    const [header, ...rows] = lines;
    const part = join(folder, 'trained.csv');
    await writeFile(part, [header, ...rows.filter((_, at) => at % 4 > 0)].join('\n'));
    await opmf('train', part, '--out', model, '--set', 'epochs=2');
    const metrics = ['--metrics', 'recall@50,rmse,auc'];
    const { code, out } = await opmf('evaluate', model, ratings, '--train', part, ...metrics, '--json');
    const document = JSON.parse(out);
    expect(code).toBe(0);
    expect(Object.keys(document.metrics)).toEqual(['recall@50', 'rmse', 'auc']);
    // Lists longer than the catalogue have all that training saw.
    expect(document.metrics['recall@50']).toBe(1);
    expect(document.users).toBeGreaterThan(1);
    const text = await opmf('evaluate', model, ratings, '--train', part, ...metrics);
    expect(text.out).toContain(`; lists for ${document.users} users\nrecall@50  1.0000\nrmse       `);
  });

  test('recommend gives unseen items, and popular ones to a stranger', async () => {
    await opmf('train', ratings, '--out', model, '--set', 'epochs=2');
    const { users } = JSON.parse((await opmf('recommend', model, '1', 'stranger', '--n', '2', '--json')).out);
    expect(users.map(({ userId, basis }: { userId: string; basis: string }) => [userId, basis])).toEqual([
      ['1', 'model'],
      ['stranger', 'popularity'],
    ]);
    // User 1 has rated all items but i4 and i9.
    expect(users[0].items.map(({ itemId }: { itemId: string }) => itemId).sort()).toEqual(['i4', 'i9']);
    expect((await opmf('recommend', model, 'stranger')).out).toContain('not in the training data');
  });

  test('similar ranks other items; an unknown one is a failure that names it', async () => {
    await opmf('train', ratings, '--out', model, '--set', 'epochs=2');
    const { items } = JSON.parse((await opmf('similar', model, 'i1', '--n', '3', '--json')).out);
    expect(items[0].similar).toHaveLength(3);
    expect(items[0].similar.map(({ itemId }: { itemId: string }) => itemId)).not.toContain('i1');
    const { code, out, err } = await opmf('similar', model, 'nothing', 'i2', 'void', '--n', '2');
    expect(out).toMatch(/^item i2\n {3}1\. i\d+ {2}\S+\n {3}2\. i\d+ {2}\S+\n$/);
    expect(err).toBe(
      `opmf: the training data of ${model} have no rating of "nothing", "void"; want ids of items that were trained on\n`,
    );
    expect(code).toBe(1);
    const document = JSON.parse((await opmf('similar', model, 'i2', 'void', '--json')).out);
    expect(document.items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(['i2']);
    expect(document.unknown).toEqual(['void']);
  });
});

describe('compare', () => {
  const arms = ['--optimizers', 'sgd', '--overparams', 'scalar-row-2', '--rank', '3', '--epochs', '2', '--seeds', '2'];

  test('--json prints the one document, named after its data', async () => {
    const { code, out, err } = await opmf('compare', ratings, ...arms, '--json');
    expect([code, err]).toEqual([0, '']);
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      opmf: version,
      terms: 'paper',
      rank: 3,
      epochs: 2,
      seeds: [1, 2],
      dataset: { name: ratings },
    });
    expect(document.machine.node).toBe(process.versions.node);
    expect(document.runs).toHaveLength(4);
    expect(document.fair).toBeUndefined();
    expect(document.summary).toHaveLength(4);
  });

  test('prints a table, and writes a report', async () => {
    const page = join(folder, 'report.html');
    const { code, out, err } = await opmf('compare', ratings, ...arms, '--out', page);
    expect(code).toBe(0);
    expect(out).toMatch(/\n {2}plain +/);
    expect(out).toMatch(/\n {2}scalar-row-2@1 +/);
    expect(err).toBe(`report written to ${page}\n`);
    expect(await readFile(page, 'utf8')).toContain('<svg ');
    // By default both kinds of terms: the tables are the paper's, fair terms are a line.
    const line =
      /^Fair terms, each arm at the best of 6 rates .* \([\d.]+ s\): .*: sgd \d\.\d{4} and \d\.\d{4} \([+-]\d+\.\d\d %\)$/m;
    expect(out).toMatch(line);
    expect(await readFile(page, 'utf8')).toContain('<p>Fair terms, ');
    expect((await opmf('compare', ratings, ...arms, '--terms', 'paper')).out).not.toContain('Fair terms');
  });
});

describe('export', () => {
  test('writes vectors for pgvector and for numpy, and says what it wrote', async () => {
    await opmf('train', ratings, '--out', model, '--set', 'epochs=1', '--set', 'rank=4');
    const items = join(folder, 'items.csv');
    const users = join(folder, 'users.npy');
    const { code, out } = await opmf(
      'export',
      model,
      '--items',
      items,
      '--users',
      users,
      '--index',
      'cosine',
      '--json',
    );
    expect(code).toBe(0);
    const { files } = JSON.parse(out);
    expect(files).toEqual([
      { side: 'items', path: items, vectors: 12, dim: 6 },
      { side: 'users', path: users, vectors: 20, dim: 6 },
    ]);
    const lines = (await readFile(items, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(13);
    expect(lines[1]).toMatch(/^i\d+,"\[(-?[\d.e-]+,){5}-?[\d.e-]+\]"$/);
    expect((await readFile(users)).subarray(1, 6).toString()).toBe('NUMPY');
    expect(JSON.parse(await readFile(`${users}.ids.json`, 'utf8'))).toHaveLength(20);
  });

  test.each([
    [[], 'nothing to write: give --items FILE, --users FILE, --recommendations FILE or --spark DIR'],
    [['--recommendations', 'x.txt'], "--recommendations is 'x.txt'; want a name that ends in .ndjson, .jsonl or .csv"],
    [['--spark', 'x', '--ids', 'names'], "--ids is 'names'; want number or index"],
    [['--items', 'x.txt'], "--items is 'x.txt'; want a name that ends in .csv or .npy"],
    [['--items', 'x.csv', '--index', 'l2'], "--index is 'l2'; want inner-product or cosine"],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await opmf('export', model, ...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

test('bench measures every optimizer, plain and as a product', async () => {
  const { code, out } = await opmf('bench', ratings, '--rank', '4', '--rounds', '1', '--json');
  expect(code).toBe(0);
  const { results, rank } = JSON.parse(out);
  expect(rank).toBe(4);
  expect(results).toHaveLength(2 * OPTIMIZER_NAMES.length);
  for (const { millionPerSecond } of results) {
    expect(millionPerSecond.minimum).toBeGreaterThan(0);
    expect(millionPerSecond.median).toBeGreaterThanOrEqual(millionPerSecond.minimum);
    expect(millionPerSecond.maximum).toBeGreaterThanOrEqual(millionPerSecond.median);
  }
  expect((await opmf('bench', ratings, '--rounds', '1')).out).toMatch(/overparam-mf {2}adam +\d+\.\d \(/);
});

test('tune prints the best options as flags of train', async () => {
  const words = ['--space', 'rank=2,3', '--space', 'initScale=.01..0.1:log', '--set', 'epochs=1', '--trials', '3'];
  const { code, out } = await opmf('tune', ratings, '--model', 'mf', ...words);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^mf on .*: best rmse \d\.\d+ of 3 fits\n--set epochs=1 --set rank=[23] --set initScale=0\.0\d+\n$/,
  );
  const { trials } = JSON.parse((await opmf('tune', ratings, '--model', 'mf', ...words, '--json')).out);
  expect(trials).toHaveLength(3);
});
