// The same seed gives the same bits: from the sources and from both builds, twice, in another process, and where code may
// not be generated from strings, as under a strict Content-Security-Policy and in edge workers.

import { join } from 'node:path';
import * as opmf from '../../src';
import { evaluate, LOADERS } from './child';

const program = join(__dirname, 'programs', 'fingerprint.cjs');
const fingerprint: (module: typeof opmf) => Promise<string> = require(program);
const strict = '--disallow-code-generation-from-strings';

let expected: string;
beforeAll(async () => {
  expected = await fingerprint(opmf);
});

test('twice in this process', async () => {
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  expect(await fingerprint(opmf)).toBe(expected);
});

test.each(['import', 'require'] as const)('in another process, by %s, without code from strings', (how) => {
  const body = `
    let generated = true;
    try { new Function('return 1')(); } catch { generated = false; }
    return [generated, await require(${JSON.stringify(program)})(${LOADERS[how]('opmf')})];`;
  expect(evaluate(body, [strict])).toEqual([false, expected]);
});
