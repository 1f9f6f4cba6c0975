// FM on interactions with what is known of users and items: as on the rows that interactionFeatures makes, and for ids that
// training never saw.

import { FormatError, NotFittedError, OptionError, UnsupportedError } from '../../../src/core/errors';
import { Stream } from '../../../src/core/random';
import { categorical } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { Interactions } from '../../../src/data/interactions';
import { interactionFeatures } from '../../../src/data/pair-features';
import { FM } from '../../../src/recommenders/features/fm';

const colours = ['black', 'green', 'white'];
const colourOf = (item: number) => colours[item % 3]!;
const itemFeatures = FeatureTable.from(
  Array.from({ length: 12 }, (_, tea) => ({ tea: `t${tea}`, colour: colourOf(tea) })),
  { id: 'tea', fields: { colour: categorical() } },
);
/** Even users like black tea, odd ones green; nobody has had t9 to t11. */
const value = (user: number, item: number) => (colourOf(item) === (user % 2 === 0 ? 'black' : 'green') ? 5 : 1);
const stream = Stream.of(1);
const data = Interactions.from(
  Array.from({ length: 300 }, () => {
    const [user, item] = [stream.below(20), stream.below(9)];
    return [user, `t${item}`, value(user, item)] as const;
  }),
);
const make = (more: object = {}) =>
  new FM({
    task: 'regression',
    rank: 4,
    epochs: 60,
    batchSize: 16,
    optimizer: { name: 'adam', learningRate: 0.02 },
    ...more,
  });

test('an item that nobody has had is known by its colour, over a file too', async () => {
  const model = make();
  const { epochs } = await model.fit(data, { itemFeatures, validation: data });
  expect(epochs[59]!.metrics.rmse).toBeLessThan(0.5);
  for (const user of [0, 1]) {
    const [black, green] = [model.predict(user, 't9'), model.predict(user, 't10')];
    expect(user === 0 ? black - green : green - black).toBeGreaterThan(1.5);
  }
  // Nothing at all is known: the bias is left.
  expect(model.predict('nobody', 'nothing')).toBe(model.model.bias.collapse()[0]);
  const pairs = [
    [0, 't9'],
    [1, 't0'],
    [7, 'nothing'],
    ['nobody', 't11'],
    [0, 't9'],
  ] as const;
  expect(model.predictMany(pairs)).toEqual(Float32Array.from(pairs, ([user, item]) => model.predict(user, item)));
  const loaded = FM.load(model.save());
  expect(loaded.predictMany(pairs)).toEqual(model.predictMany(pairs));
  expect(loaded.save()).toEqual(model.save());
  expect(model.collapse().predictMany(data)).toEqual(model.predictMany(data));
});

test('it is the fit on the rows of the interactions', async () => {
  const [pairs, rows] = [make({ epochs: 3 }), make({ epochs: 3 })];
  await pairs.fit(data, { itemFeatures });
  const table = interactionFeatures(data, { itemFeatures });
  await rows.fit(table);
  const expected = rows.predictRows(table);
  expect(pairs.predictRows(table)).toEqual(expected);
  // Of users and items it multiplies what each side comes to: the same up to a rounding of float32 here and there.
  for (const [k, prediction] of pairs.predictMany(data).entries())
    expect(Math.abs(prediction - expected[k]!)).toBeLessThan(4 * 2 ** -24 * Math.max(1, Math.abs(expected[k]!)));
});

test('ids of a shared vocabulary that do not occur have no feature of their own', async () => {
  const model = make({ epochs: 1 });
  Interactions.from([['later', 't0', 3]], { users: data.users, items: data.items });
  await model.fit(data);
  expect(model.model.features).toBe(20 + 9);
  expect(model.predict('later', 'nothing')).toBe(model.model.bias.collapse()[0]);
});

test('a table that came encoded, its fields written in another order', async () => {
  const rows = { size: 1, starts: Int32Array.of(0, 1), indices: Int32Array.of(0), values: Float32Array.of(2) };
  const fields = [{ size: 1, offset: 0, name: 'strength', kind: 'numeric' }] as const;
  const strengths = FeatureTable.fromRows({ ...rows, labels: null, weights: null, fields }, ['t0']);
  const model = make({ epochs: 1 });
  await model.fit(data, { itemFeatures: strengths });
  expect(FM.load(model.save()).predictMany(data)).toEqual(model.predictMany(data));
});

test('what it refuses', async () => {
  expect(() => make().predict(0, 't0')).toThrow(NotFittedError);
  const rows = make({ epochs: 1 });
  await rows.fit(interactionFeatures(data));
  expect(() => rows.predict(0, 't0')).toThrow(UnsupportedError);
  expect(() => rows.predictMany(data)).toThrow(UnsupportedError);
  await expect(make().fit(data, { itemFeatures: 3 as never })).rejects.toThrow(OptionError);
  await expect(make().fit(data, { itemFeature: itemFeatures } as never)).rejects.toThrow(OptionError);
  await expect(make().fit(interactionFeatures(data), { itemFeatures })).rejects.toThrow(OptionError);
  await expect(make({ task: 'classification' }).fit(data)).rejects.toThrow("task: 'regression'");
  const model = make({ epochs: 1 });
  await model.fit(data, { itemFeatures });
  const bytes = model.save();
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace('"item.colour', '"item.colouR')
    .replace('item.colour', 'item.colouR');
  expect(() => FM.load(Uint8Array.from(Buffer.from(text, 'latin1')))).toThrow(FormatError);
});

test('options are read and a signal is heeded before any row is made', async () => {
  const neverRead = { ...itemFeatures } as never;
  await expect(make().fit(data, 5 as never)).rejects.toThrow(OptionError);
  await expect(make().fit(data, { itemFeatures: neverRead })).rejects.toThrow('itemFeatures');
  await expect(make().fit(data, { earlyStopping: {} })).rejects.toThrow('needs validation');
  const reason = new Error('the service shuts down');
  await expect(make().fit(data, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
