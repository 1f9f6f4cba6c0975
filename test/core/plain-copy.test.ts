// Copies of options share nothing with them that could be changed.

import { plainCopy } from '../../src/core/plain';

test('arrays and plain objects are copied all the way down', () => {
  const given = { kind: 'dense', parts: [{ width: 4 }, 5], bare: Object.assign(Object.create(null), { x: 1 }) };
  const copy = plainCopy(given);
  expect(copy).toEqual({ kind: 'dense', parts: [{ width: 4 }, 5], bare: { x: 1 } });
  expect(copy.parts).not.toBe(given.parts);
  expect(copy.parts[0]).not.toBe(given.parts[0]);
  expect(plainCopy(JSON.parse('{"__proto__": 1}'))).toEqual(JSON.parse('{"__proto__": 1}'));
});

test('everything else stays what it is, for the checks to see', () => {
  for (const value of [new Map(), new Date(0), new Float32Array(2), Number.NaN, 'text', null, undefined, () => 1])
    expect(plainCopy(value)).toBe(value);
  const ring: { self?: unknown } = {};
  ring.self = ring;
  expect(plainCopy(ring)).toBeInstanceOf(Object);
});
