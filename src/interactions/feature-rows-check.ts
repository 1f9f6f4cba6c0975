// Whether rows that come encoded are what they should be: models index their tables by these numbers without looking.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import type { FeatureRows } from './features';

/** Throws DataError, for `owner`, where the arrays of rows do not fit each other or the fields. Cost: one pass over the entries. */
export function checkFeatureRows(rows: FeatureRows, owner: string): void {
  const broken = (found: string, wanted: string) => new DataError(`${owner}: ${found}; want ${wanted}`);
  if (rows === null || typeof rows !== 'object') throw broken(`rows is ${show(rows)}`, 'an object of columns');
  const { size, starts, indices, values, labels, weights, fields } = rows;
  const demand = (name: string, value: unknown, Kind: new () => object) => {
    if (!(value instanceof Kind)) throw broken(`${name} is ${show(value)}`, `a ${Kind.name}`);
  };
  if (!(Number.isInteger(size) && size >= 0)) throw broken(`size is ${show(size)}`, 'a whole number');
  demand('starts', starts, Int32Array);
  demand('indices', indices, Int32Array);
  demand('values', values, Float32Array);
  if (labels !== null) demand('labels', labels, Float32Array);
  if (weights !== null) demand('weights', weights, Float32Array);
  if (!Array.isArray(fields) || fields.some((one: unknown) => one === null || typeof one !== 'object'))
    throw broken(`fields is ${show(fields)}`, 'an array of { name, kind, offset, size }');
  let features = 0;
  for (const { name, offset, size: count } of fields) {
    if (offset !== features)
      throw broken(`field ${show(name)} starts at ${offset}`, `${features}, where the one before ends`);
    if (!(Number.isInteger(count) && count >= 0))
      throw broken(`field ${show(name)} has size ${show(count)}`, 'a whole number');
    features += count;
  }
  if (starts.length !== size + 1) throw broken(`starts has ${starts.length} entries`, `size + 1, ${size + 1}`);
  if (starts[0] !== 0) throw broken(`starts[0] is ${starts[0]}`, '0');
  if (starts[size] !== indices.length)
    throw broken(`starts ends with ${starts[size]}`, `the ${indices.length} of the indices`);
  if (values.length !== indices.length)
    throw broken(`there are ${values.length} values`, `one for each of the ${indices.length} indices`);
  for (const [name, column, least] of [
    ['labels', labels, -Infinity],
    ['weights', weights, 0],
  ] as const) {
    if (column === null) continue;
    if (column.length !== size) throw broken(`there are ${column.length} ${name}`, `${size}`);
    const at = column.findIndex((value) => !(Number.isFinite(value) && value >= least));
    if (at >= 0)
      throw broken(`${name}[${at}] is ${column[at]}`, `finite numbers${least === 0 ? ' of at least 0' : ''}`);
  }
  for (let row = 0; row < size; row++) {
    const to = starts[row + 1]!;
    if (to < starts[row]!) throw broken(`starts[${row + 1}] is ${to}`, `at least ${starts[row]}, the one before`);
    for (let at = starts[row]!, before = -1; at < to; at++) {
      const feature = indices[at]!;
      if (feature <= before || feature >= features) {
        throw broken(`row ${row} has feature ${feature} after ${before}`, `ascending numbers below ${features}`);
      }
      if (!Number.isFinite(values[at])) throw broken(`row ${row} has the value ${values[at]}`, 'finite numbers');
      before = feature;
    }
  }
}
