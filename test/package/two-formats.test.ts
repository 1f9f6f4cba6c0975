// The package by import and by require in one process: what one made, the other knows.

import { evaluate } from './child';

const BOTH = `
  const es = await import('opmf');
  const cjs = require('opmf');
  const rows = [['ann', 'tea', 5], ['ann', 'milk', 3], ['bob', 'tea', 4], ['bob', 'soup', 2], ['cy', 'milk', 1]];
  if (es.Interactions === cjs.Interactions) throw new Error('the formats are one');`;

test.each([
  ['es', 'cjs'],
  ['cjs', 'es'],
])('%s takes the data of %s', (one, other) => {
  const found = evaluate(`${BOTH}
    const [own, foreign] = [${one}, ${other}];
    const data = foreign.Interactions.from(rows);
    const model = new own.MF({ rank: 2, epochs: 2 });
    await model.fit(data, { validation: data });
    const twin = new own.MF({ rank: 2, epochs: 2 });
    await twin.fit(own.Interactions.from(rows));
    const table = foreign.FeatureTable.from([{ tea: 'tea', colour: 'black' }, { tea: 'milk', colour: 'white' }],
      { id: 'tea', fields: { colour: foreign.categorical() } });
    const fm = new own.FM({ rank: 2, epochs: 1, task: 'regression' });
    await fm.fit(data, { itemFeatures: table });
    const again = own.FeatureTable.encode([{ colour: 'white' }], table.schema);
    const shared = own.Interactions.from([['dan', 'tea']], { users: data.users, items: data.items });
    return [
      data instanceof own.Interactions, data.users instanceof own.Vocabulary, table instanceof own.FeatureTable,
      table.schema instanceof own.FeatureSchema, [] instanceof own.Interactions, null instanceof own.Vocabulary,
      JSON.stringify([...model.predictMany(data)]) === JSON.stringify([...twin.predictMany(rows)]),
      (await own.evaluateRatings(model, data)).count, again.size, shared.users === data.users, fm.isFitted,
    ];`);
  expect(found).toEqual([true, true, true, true, false, false, true, 5, 1, true, true]);
});

test('errors of one are errors of the other, by kind', () => {
  const found = evaluate(`${BOTH}
    const error = (() => { try { new cjs.MF({ rank: 0 }); } catch (thrown) { return thrown; } })();
    class Mine extends es.OpmfError {}
    return [
      error instanceof es.OptionError, error instanceof es.OpmfError, error instanceof es.DataError,
      error instanceof Mine, new Mine('x') instanceof Mine, new Mine('x') instanceof cjs.OpmfError,
      new Error('x') instanceof es.OpmfError,
    ];`);
  expect(found).toEqual([true, true, false, false, true, true, false]);
});

test('what is of another version is named as such', () => {
  const found = evaluate(`${BOTH}
    class Other { static opmf = 'Interactions'; static version = '0.0.1'; }
    const fault = await new es.MF().fit(new Other()).catch((error) => error);
    return [new Other() instanceof es.Interactions, fault.name, fault.message];`);
  expect(found).toEqual([
    false,
    'OptionError',
    'data is an Interactions of opmf 0.0.1; want Interactions: make them with Interactions.from(rows)',
  ]);
});
