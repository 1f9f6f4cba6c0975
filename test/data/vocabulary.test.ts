// Ids are kept exactly: by type and by every code unit, whatever their names mean to JavaScript.

import fc from 'fast-check';
import { DataError } from '../../src/core/errors';
import { type Id, Vocabulary } from '../../src/data/vocabulary';

const ids = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '__proto__', 'constructor', 'toString', '0', '1', '-0', 'NaN', '9007199254740993', '\ud800'),
    fc.integer(),
    fc.constantFrom(0, -0, 1.5, -1, 2 ** 53 - 1),
  ),
);

test('numbers follow first appearance, and ids and numbers lead back to each other', () => {
  fc.assert(
    fc.property(ids, (list: Id[]) => {
      const vocabulary = Vocabulary.from(list);
      const unique = [...new Set(list)];
      expect(vocabulary.size).toBe(unique.length);
      expect([...vocabulary]).toEqual(unique);
      unique.forEach((id, index) => {
        expect(vocabulary.indexOf(id)).toBe(index);
        expect(vocabulary.idOf(index)).toBe(id);
        expect(vocabulary.has(id)).toBe(true);
      });
    }),
  );
});

test('a number and its text are two ids, -0 and 0 are one', () => {
  const vocabulary = Vocabulary.from([1, '1', -0, 0]);
  expect(vocabulary.size).toBe(3);
  expect(vocabulary.indexOf('1')).toBe(1);
  expect(vocabulary.indexOf(0)).toBe(2);
  expect(Object.is(vocabulary.idOf(2), 0)).toBe(true);
});

test('names of object members are unknown until added', () => {
  const vocabulary = new Vocabulary();
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', '']) {
    expect(vocabulary.indexOf(name)).toBe(-1);
    expect(vocabulary.has(name)).toBe(false);
  }
});

test.each([Number.NaN, Infinity, -Infinity, null, undefined, true, 1n, Symbol('x'), {}, ['a']])(
  '%p is no id',
  (value) => {
    expect(() => Vocabulary.from(['a', value as Id])).toThrow(DataError);
    expect(() => Vocabulary.from(['a', value as Id])).toThrow('id 2 (counting from 1)');
    expect(new Vocabulary().add(value as Id)).toBe(-1);
  },
);

test.each([-1, 2, 0.5, Number.NaN])('number %p has no id', (index) => {
  expect(() => Vocabulary.from(['a', 'b']).idOf(index)).toThrow(DataError);
});

test('truncate forgets the last ids', () => {
  const vocabulary = Vocabulary.from(['a', 'b', 'c']);
  vocabulary.truncate(1);
  expect([...vocabulary]).toEqual(['a']);
  expect(vocabulary.has('b')).toBe(false);
  expect(vocabulary.add('c')).toBe(1);
});
