// Trains every case with one build and writes the hashes of what it has learned and of what it answers.
// node same-child.mjs FOLDER_OF_BUILD FILES OUT [files]: FILES is where saved models go; with the last word they are
// not trained but read from there.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLASSES, cases, construct } from './same-cases.mjs';

const [build, files, out, mode] = process.argv.slice(2);
const opmf = await import(pathToFileURL(join(build, 'dist', 'index.js')).href);

const hashOf = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** Numbers of a generator of its own (mulberry32), so that the data are those of no build. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Ratings from 1 to 5 with some structure in them; some ids are numbers, some text. */
function ratings(users, items, count, seed) {
  const random = generator(seed);
  const rows = [];
  for (let k = 0; k < count; k++) {
    const user = Math.floor(users * random() ** 1.5);
    const item = Math.floor(items * random() ** 2);
    const value = 3 + 1.5 * Math.sin(user * 0.7 + item * 1.3) + 0.4 * Math.cos(item) + (random() - 0.5);
    const weight = [1, 0.25, 3, 1][k % 4];
    const userId = user % 3 === 0 ? user : `u${user}`;
    rows.push({ userId, itemId: item, value: Math.min(5, Math.max(1, Math.round(value))), weight, timestamp: k * 37 });
  }
  return rows;
}

const rows = ratings(90, 70, 2200, 1);
const large = ratings(2500, 600, 20_000, 2);
const bare = (list) => list.map(({ weight, ...row }) => row);
const ones = (list) => list.filter(({ value }) => value > 3).map(({ userId, itemId }) => ({ userId, itemId }));
const people = [...new Set(rows.map(({ userId }) => userId))].map((user, k) => ({
  ...{ user, age: k % 7 === 0 ? null : 20 + (k % 40), city: `c${k % 9}` },
}));
const films = [...new Set(rows.map(({ itemId }) => itemId))].map((film) => ({
  ...{ film, year: 1980 + (film % 30), genres: [`g${film % 5}`, `g${film % 7}`].join('|') },
}));
const { Interactions, FeatureTable, categorical, multiValued, numeric, crossed } = opmf;
const data = {
  ratings: Interactions.from(bare(rows)),
  weighted: Interactions.from(rows),
  repeated: Interactions.from(bare(rows), { duplicates: 'keep' }),
  likes: Interactions.from(ones(rows)),
  labels: Interactions.from(bare(rows).map((row) => ({ ...row, value: row.value > 3 ? 1 : 0 }))),
  large: Interactions.from(bare(large)),
  'large-likes': Interactions.from(ones(large)),
  table: FeatureTable.from(
    rows.map(({ userId, itemId, value }, k) => ({
      ...{
        age: k % 11 === 0 ? null : k % 60,
        city: `${userId}`,
        genres: `a${itemId % 5}|b${itemId % 3}`,
        hour: k % 24,
      },
      clicked: value > 3 ? 1 : 0,
    })),
    {
      fields: {
        ...{
          age: numeric(),
          city: categorical({ minCount: 3 }),
          genres: multiValued({ separator: '|' }),
          hour: categorical(),
        },
        cityXhour: crossed('city', 'hour', { buckets: 50 }),
      },
      label: 'clicked',
    },
  ),
};
data['with-features'] = data.ratings;
const sides = {
  userFeatures: FeatureTable.from(people, { id: 'user', fields: { age: numeric(), city: categorical() } }),
  itemFeatures: FeatureTable.from(films, { id: 'film', fields: { year: numeric(), genres: multiValued() } }),
};
const more = Interactions.from(
  bare(ratings(95, 75, 60, 3)).map((row, k) => (k % 9 === 0 ? { ...row, userId: `new${k % 4}` } : row)),
);
const moreLikes = Interactions.from([...more].map(({ userId, itemId }) => ({ userId, itemId })));
const users = [0, 'u1', 'u2', 3, 'u40', 'nobody'];
const pairs = ['nobody', ...new Set(rows.map(({ userId }) => userId))].flatMap((user) =>
  [0, 1, 2, 5, 8, 13, 21, 34, 55, 69, 'none'].map((item) => [user, item]),
);
/** A row of a new user's or item's, of values that the data may have. */
const folded = (ids, on) => ids.map((id, k) => [id, on === 'labels' || on.endsWith('likes') ? 1 - (k % 2) : 5 - 2 * k]);

/** Hashes of a saved file's tensors by name: what the file says beside them (the names of options) is not looked at. */
function tensorsOf(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  return Object.fromEntries(
    names.sort().map((name) => {
      const { dtype, shape, data_offsets: offsets } = header[name];
      const [begin, end] = offsets.map((offset) => 8 + length + offset);
      return [`tensor ${name}`, hashOf(`${dtype} ${shape}`, bytes.subarray(begin, end))];
    }),
  );
}

/** The hash of an answer, or why there is none; undefined where the recommender has no such method. */
async function answer(ask) {
  try {
    const value = await ask();
    if (value === undefined) return undefined;
    if (ArrayBuffer.isView(value)) return hashOf(bytesOf(value));
    return hashOf(JSON.stringify(value, (_, x) => (x instanceof Map ? [...x] : ArrayBuffer.isView(x) ? [...x] : x)));
  } catch (error) {
    return error.name === 'UnsupportedError' ? undefined : error.name;
  }
}

/** What a fitted or loaded recommender answers. */
async function answersOf(model, kind, on) {
  const listed = (list) => list && [list.basis, [...list]];
  const many = async (options) => {
    const lists = await model.recommendMany(users, options);
    return lists && [...lists].map(([id, list]) => [id, listed(list)]);
  };
  if (on === 'table') return { predictRows: await answer(() => model.predictRows(data.table)) };
  return {
    predictMany: await answer(() => model.predictMany(pairs)),
    recommend: await answer(async () => listed(await model.recommend('u1', { n: 6, exclude: [1, 2] }))),
    unfiltered: await answer(async () => listed(await model.recommend(3, { n: 6, filterSeen: false }))),
    candidates: await answer(async () => listed(await model.recommend('u2', { candidates: [4, 9, 1, 30, 2] }))),
    recommendMany: await answer(() => many({ n: 5 })),
    similarItems: await answer(() => model.similarItems?.(1)),
    similarUsers: await answer(() => model.similarUsers?.('u1', { measure: 'dot' })),
    explain: await answer(() => model.explain?.('u1', 5)),
    foldInUser: await answer(async () => {
      const row = await model.foldInUser?.(folded([1, 4, 9], on));
      return row && [row.predict(7), listed(await row.recommend({ n: 5 })), row.vector];
    }),
    foldInItem: await answer(async () => {
      const row = await model.foldInItem?.(folded(['u1', 3, 'u7'], on));
      return row && [row.predict('u2'), row.vector];
    }),
    exportVectors: await answer(() => kind !== 'als' && model.exportVectors?.({ index: 'inner-product' })),
  };
}

const make = (kind, options) => construct(opmf[CLASSES[kind]], kind, options);

/** A fit that is measured, stopped early, and gone on with from a checkpoint. */
async function watched({ kind, options, data: on }) {
  const model = make(kind, options);
  const checkpoints = [];
  const told = [];
  const wanted = { validation: on === 'likes' ? moreLikes : more, metrics: [on === 'likes' ? 'ndcg@10' : 'rmse'] };
  const { bestEpoch, epochs, stopped } = await model.fit(data[on], {
    ...{ ...wanted, earlyStopping: { patience: 2 }, onEpoch: ({ epoch }) => told.push(epoch) },
    checkpoint: { every: 1, write: (bytes) => checkpoints.push(bytes.slice()) },
  });
  const resumed = make(kind, options);
  const last = await resumed.fit(data[on], { ...wanted, earlyStopping: { patience: 2 }, resume: checkpoints[1] });
  return {
    history: hashOf(
      JSON.stringify([bestEpoch, stopped, told, epochs.map(({ trainLoss, metrics }) => [trainLoss, metrics])]),
    ),
    ...tensorsOf(await model.save()),
    checkpoints: hashOf(JSON.stringify(checkpoints.map(tensorsOf))),
    resumed: hashOf(JSON.stringify([last.bestEpoch, tensorsOf(await resumed.save())])),
  };
}

/** Trains one case. */
async function trained({ kind, options, data: on, name }) {
  const model = make(kind, options);
  const fitOptions = on === 'with-features' ? sides : {};
  const { epochs } = await model.fit(data[on], fitOptions);
  const bytes = await model.save();
  writeFileSync(join(files, `${name.replaceAll(' ', '_')}.safetensors`), bytes);
  const result = {
    losses: hashOf(JSON.stringify(epochs.map(({ trainLoss, trainRmse }) => [trainLoss, trainRmse]))),
    ...tensorsOf(bytes),
    ...(await answersOf(model, kind, on)),
    collapse: await answer(async () => {
      const collapsed = await model.model?.collapse?.();
      return collapsed?.parameters.map((parameter) => hashOf(bytesOf(parameter.collapse())));
    }),
  };
  if (on === 'table' || on === 'with-features' || on.startsWith('large')) return result;
  const ids = moreLikes.size > 0 && (on === 'likes' ? moreLikes : on === 'labels' ? null : more);
  if (!ids) return result;
  result.partialFit = await answer(async () => {
    if (model.partialFit === undefined) return undefined;
    await model.partialFit(ids);
    return [tensorsOf(await model.save()), hashOf(bytesOf(model.predictMany(pairs)))];
  });
  return result;
}

/** Loads the file of one case. */
async function loaded({ kind, data: on, name }) {
  const bytes = new Uint8Array(readFileSync(join(files, `${name.replaceAll(' ', '_')}.safetensors`)));
  const model = on === 'table' ? await opmf[CLASSES[kind]].load(bytes) : await opmf.loadRecommender(bytes);
  return {
    ...(await answersOf(model, kind, on)),
    ...tensorsOf(await model.save()),
  };
}

mkdirSync(files, { recursive: true });
const results = {};
for (const one of cases()) {
  if (mode === 'files' && one.watched) continue;
  const start = performance.now();
  try {
    results[one.name] = await (one.watched ? watched(one) : mode === 'files' ? loaded(one) : trained(one));
  } catch (error) {
    results[one.name] = { refused: `${error.name}: ${error.message.slice(0, 300)}` };
  }
  const seconds = (performance.now() - start) / 1000;
  if (process.env.OPMF_SLOW && seconds > 0.5) console.error(one.name, seconds.toFixed(2));
}
writeFileSync(out, JSON.stringify(results));
