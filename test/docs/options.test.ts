// Every option of every recommender is declared once, and everything else says the same: its docstring, the error of a value
// out of its range, the help of the command line, and docs/options.md.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '../../src/core/errors';
import { run } from '../../src/node/cli/run';
import { declaredOptions } from '../../src/recommenders/declarations';
import { createRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { faultOf } from '../support/fault-of';
import { optionDocs, optionsPage } from '../support/option-docs';
import { ROOT } from './blocks';

const docs = optionDocs(join(ROOT, 'src/index.ts'));
const all = RECOMMENDER_NAMES.flatMap((name) => declaredOptions(name).map((option) => ({ model: name, ...option })));

test('there are options', () => {
  expect(all.length).toBeGreaterThan(100);
});

/** What numbers an option takes, in words: from 1 to 256; of at least 0 and below 1; above 0. */
const RANGE = /from \S*\d to \S*\d|(above|at least) \S*\d( and (below|at most) \S*\d)?/;

test.each(all)('$model: the docstring of $name has its range and default', ({ model, name, wanted, fallback }) => {
  const { text, defaultValue } = docs.get(model)!.get(name)!;
  expect(text).toMatch(/\w/);
  const [range] = RANGE.exec(wanted) ?? [''];
  expect(text).toContain(range);
  expect(defaultValue).not.toBe('');
  const isPlain = fallback === null || typeof fallback !== 'object' || Array.isArray(fallback);
  if (!isPlain || fallback === undefined) return;
  const written = typeof fallback === 'string' ? `'${fallback}'` : JSON.stringify(fallback);
  expect(defaultValue.replaceAll(' ', '')).toContain(written);
});

test.each(RECOMMENDER_NAMES)('%s: what is documented is declared, and the other way round', (model) => {
  expect(
    declaredOptions(model)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...docs.get(model)!.keys()].sort());
});

/** Values beyond the numbers of a range, and values that no option takes. */
function outOf(wanted: string): unknown[] {
  const bounds = [...(RANGE.exec(wanted)?.[0] ?? '').matchAll(/-?\d+(\.\d+)?/g)].map(([digits]) => Number(digits));
  const least = /(from|at least)/.test(wanted) ? bounds.slice(0, 1).map((bound) => bound - 1) : bounds.slice(0, 1);
  const most = bounds.slice(1).map((bound) => (/below/.test(wanted) ? bound : bound + 1));
  return [...least, ...most, Number.NaN, Symbol('no value'), () => 'a function'];
}

test.each(all)('$model: $name out of its range is refused by name', ({ model, name, wanted }) => {
  for (const value of outOf(wanted)) {
    const fault = faultOf(() => createRecommender(model, { [name]: value } as never));
    expect([value, fault]).toEqual([value, expect.any(OptionError)]);
    expect(fault.option).toMatch(new RegExp(`^${name}\\b`));
  }
});

test.each(RECOMMENDER_NAMES)('opmf train --model %s --help lists its options', async (model) => {
  let help = '';
  const stream = {
    write(text: string) {
      help += text;
    },
  };
  expect(await run(['train', '--help', '--model', model], { stdout: stream, stderr: stream, isTTY: false })).toBe(0);
  for (const { name, wanted, fallback } of declaredOptions(model)) {
    const written = typeof fallback === 'string' ? fallback : (JSON.stringify(fallback) ?? 'none');
    expect(help).toMatch(new RegExp(`^ {2}${name} +`, 'm'));
    expect(help).toContain(` ${wanted}; default ${written}\n`);
  }
});

test('docs/options.md is what npm run docs:options writes', () => {
  expect(readFileSync(join(ROOT, 'docs/options.md'), 'utf8')).toBe(optionsPage(docs));
});
