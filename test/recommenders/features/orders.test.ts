// Models of features that learn from what users have: beside each, items that its user does not have, by every loss that
// can do with those. What is kept from a user of a circle's items is what is recommended to that user.

import { join } from 'node:path';
import { OptionError, UnsupportedError } from '../../../src/core/errors';
import { Interactions } from '../../../src/data/interactions';
import { interactionFeatures } from '../../../src/data/pair-features';
import type { Id } from '../../../src/data/vocabulary';
import { tune } from '../../../src/evaluation/tune';
import { loadDataset } from '../../../src/node';
import { findFile, searchFolders } from '../../../src/node/datasets';
import { FM } from '../../../src/recommenders/features/fm';
import { circles, itemFeatures, SIZE } from './circles';
import { kinds } from './kinds';

const data = circles();
/** What was kept from them. */
const missing = Interactions.from(Array.from({ length: SIZE }, (_, u) => [`u${u}`, `i${u}`] as const));
const losses = {
  logistic: { negatives: 4 },
  bpr: { task: 'ranking' },
  warp: { task: 'ranking', loss: 'warp', negatives: 4 },
  softmax: { task: 'ranking', loss: 'softmax', negatives: { count: 4, sampler: 'popularity' } },
} as const;
const every = Object.keys(kinds).flatMap((kind) =>
  Object.keys(losses).map((loss) => [kind, loss as keyof typeof losses] as const),
);

describe.each(every)('%s, %s', (kind, loss) => {
  const make = (more: object = {}) =>
    kinds[kind]!.make({
      ...losses[loss],
      epochs: 20,
      batchSize: 16,
      ...(kind === 'WideDeep' ? { wide: null } : {}),
      ...more,
    });

  test('recommends what is missing from the circle', async () => {
    const model = make();
    const { epochs } = await model.fit(data);
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss / 2);
    const isFound = (u: number) => model.recommend(`u${u}`, { n: 1 })[0]!.itemId === `i${u}`;
    // What is missing is drawn as well, and may be learned as what is not wanted: a few of the 24. By chance it were two.
    expect(Array.from({ length: SIZE }, (_, u) => u).filter(isFound).length).toBeGreaterThanOrEqual(20);
    // Probabilities are those of logistic; an order has scores.
    const scores = model.recommend('u0', { n: SIZE, filterSeen: false }).map(({ score }) => score);
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(loss === 'logistic');
  });

  test('the same bits in either arithmetic, and from a checkpoint on', async () => {
    const short = { epochs: 3, overparam: { kind: 'dense' } } as const;
    const options = { itemFeatures, validation: missing, metrics: ['ndcg@5'] } as const;
    const whole = make({ ...short, kernels: 'wasm' });
    const history = await whole.fit(data, options);
    const stop = new AbortController();
    let bytes = new Uint8Array();
    const write = (given: Uint8Array) => {
      bytes = given.slice();
      stop.abort();
    };
    const cut = make({ ...short, kernels: 'js' }).fit(data, {
      ...options,
      signal: stop.signal,
      checkpoint: { every: 1, write },
    });
    await expect(cut).rejects.toThrow(/abort/i);
    const later = make({ ...short, kernels: 'wasm' });
    const { epochs } = await later.fit(data, { ...options, resume: bytes });
    const told = (list: typeof epochs) => list.map(({ trainLoss, metrics }) => [trainLoss, metrics]);
    expect(told(epochs)).toEqual(told(history.epochs));
    expect(later.save()).toEqual(whole.save());
    // What is known of the items is part of what was trained on.
    await expect(make(short).fit(data, { validation: missing, metrics: ['ndcg@5'], resume: bytes })).rejects.toThrow(
      'resume',
    );
  });
});

const ordering = (more: object = {}) => new FM({ task: 'ranking', rank: 4, epochs: 1, ...more });

test('validation tells how early the kept items are listed, and the best epoch is put back', async () => {
  const model = ordering({ epochs: 40, batchSize: 16, optimizer: { name: 'adam', learningRate: 0.02 } });
  const { epochs, bestEpoch } = await model.fit(data, { validation: missing, earlyStopping: { patience: 40 } });
  const lists = epochs.map(({ metrics }) => metrics['ndcg@10']!);
  expect(Math.max(...lists)).toBe(1);
  expect(lists[bestEpoch! - 1]).toBe(1);
  expect(lists[0]).toBeLessThan(0.9);
});

test('tune, which fits on interactions, finds the loss that lists best', async () => {
  const base = { task: 'ranking', epochs: 20, batchSize: 16, rank: 4 } as const;
  const space = {
    optimizer: [
      { name: 'adam', learningRate: 1e-5 },
      { name: 'adam', learningRate: 0.05 },
    ],
  };
  const { best } = await tune('fm', space, data, { trials: 2, base, metric: 'ndcg@10', validation: missing });
  expect(best.score).toBeGreaterThan(0.9);
});

test('what has no meaning is refused by name', async () => {
  expect(() => ordering({ loss: 'squared' })).toThrow(
    'loss is "squared"; want bpr, warp, softmax, as task is \'ranking\'',
  );
  expect(() => ordering({ negatives: false })).toThrow("loss 'bpr' compares");
  expect(() => new FM({ task: 'regression', negatives: 4 })).toThrow("loss 'squared' takes the values as they are");
  const rows = interactionFeatures(data);
  await expect(ordering().fit(rows)).rejects.toThrow(UnsupportedError);
  await expect(ordering().fit(rows)).rejects.toThrow('fit it on Interactions');
  const fits = [
    { metrics: ['ndcg@10', 'auc'], validation: missing },
    { earlyStopping: { metric: 'logloss' }, validation: missing },
    { validation: rows },
  ] as const;
  for (const options of fits) await expect(ordering().fit(data, options as never)).rejects.toThrow(OptionError);
  const ofRatings = ordering().fit(data, { metrics: ['rmse'], validation: missing });
  await expect(ofRatings).rejects.toThrow(UnsupportedError);
});

/** The likes of MovieLens 100K (4 and more), where they are at hand, and what is known of films and people. */
const folders = searchFolders(undefined).map((folder) => join(folder, 'ml-100k'));
const isHere = folders.some((folder) => findFile(folder, 'u.item') !== undefined);
if (!isHere) console.warn(`skipped: data set 'ml-100k' is in none of ${folders.join(', ')} (set OPMF_DATA)`);

(isHere ? test : test.skip)(
  'films that nobody has yet are ranked, and found, by their features',
  async () => {
    const { itemFeatures, userFeatures } = await import('../../../benchmarks/models/film-features');
    const all = await loadDataset('ml-100k');
    const isLike = (k: number) => all.values[k]! >= 4 && all.userIndex[k]! % 4 === 0;
    const isLeft = (k: number) => all.itemIndex[k]! % 10 === 3;
    const places = Int32Array.from(all.values.keys()).filter(isLike);
    const model = new FM({ task: 'ranking', loss: 'softmax', negatives: 8, rank: 8, epochs: 5 });
    await model.fit(all.select(places.filter((k) => !isLeft(k))), { itemFeatures, userFeatures });
    const left = all.select(places.filter(isLeft));
    const films = [...all.items].filter((_, item) => item % 10 === 3);
    expect(films.some((film) => model.knows(all.users.idOf(0), film))).toBe(false);
    const liked = new Map<Id, number[]>();
    for (const [k, user] of left.userIndex.entries()) {
      const id = left.users.idOf(user);
      liked.set(id, [...(liked.get(id) ?? []), k]);
    }
    let sum = 0;
    for (const [user, rows] of liked) {
      const found = new Set(model.recommend(user, { n: 20, candidates: films }).map(({ itemId }) => itemId));
      const hits = rows.filter((k) => found.has(left.items.idOf(left.itemIndex[k]!)));
      sum += hits.length / Math.min(20, rows.length);
    }
    // By chance, or by popularity, which is 0 for all of them: 20 of 168.
    expect(sum / liked.size).toBeGreaterThan((2 * 20) / films.length);
    // The films most like a new one share its genres and its decade.
    const genresOf = (film: Id) => {
      const row = itemFeatures.ids!.indexOf(film);
      return [...itemFeatures.indices.subarray(itemFeatures.starts[row], itemFeatures.starts[row + 1])];
    };
    const share = (film: Id, others: readonly Id[]) => {
      const own = genresOf(film);
      const common = (other: Id) => genresOf(other).filter((genre) => own.includes(genre)).length / own.length;
      return others.reduce<number>((total, other) => total + common(other), 0) / others.length;
    };
    const means: number[] = films.slice(0, 30).map((film) => {
      const like = model.similarItems(film, { n: 10 }).map(({ itemId }) => itemId);
      return share(film, like) - share(film, [...all.items]);
    });
    expect(means.reduce((total, mean) => total + mean, 0) / means.length).toBeGreaterThan(0.1);
  },
  120_000,
);
