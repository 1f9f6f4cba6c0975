// Files from hostile hands: whatever is changed in a model's file, it is refused as a FormatError, or loads and answers
// with numbers, in time. A part of benchmarks/implicit/fuzz.ts, in a process that can be ended.

import { execFileSync } from 'node:child_process';
import { FormatError, loadRecommender } from 'opmf';
import { ROOT } from '../docs/blocks';

test('mutations of saved models', () => {
  const run = ['benchmarks/run.mjs', 'benchmarks/implicit/fuzz.ts', '3000', '7', 'none'];
  const printed = execFileSync(process.execPath, run, { cwd: ROOT, encoding: 'utf8', timeout: 110_000 });
  const { refused, loaded, slowest } = JSON.parse(printed);
  expect(refused + loaded).toBe(3000);
  expect(refused).toBeGreaterThan(1000);
  expect(loaded).toBeGreaterThan(200);
  expect(slowest).toBeLessThan(10);
}, 120_000);

/** A file of a header alone, its length as said or as told. */
function fileOf(header: string, length?: bigint, data = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const tensor = (shape: string, from: number | string, to: number | string) =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${from},${to}]}`;

test.each<[string, Uint8Array]>([
  ['a header longer than the file', fileOf('{}', 2n ** 40n)],
  ['a header longer than any file', fileOf('{}', 2n ** 64n - 1n)],
  ['a header that is no JSON', fileOf('{"a":')],
  ['a header that is a list', fileOf('[]')],
  ['bytes that are no UTF-8', fileOf('{"a\u0000":1}'.replace('\u0000', String.fromCharCode(0xd800)))],
  ['overlapping tensors', fileOf(`{"a":${tensor('[2]', 0, 8)},"b":${tensor('[2]', 4, 12)}}`, undefined, 12)],
  ['a hole', fileOf(`{"a":${tensor('[1]', 0, 4)},"b":${tensor('[1]', 8, 12)}}`, undefined, 12)],
  ['a giant shape', fileOf(`{"a":${tensor('[4294967296,4294967296]', 0, 4)}}`, undefined, 4)],
  ['a shape whose product is 0 after an overflow', fileOf(`{"a":${tensor('[9007199254740993,0]', 0, 0)}}`)],
  ['a negative shape', fileOf(`{"a":${tensor('[-1]', 0, 4)}}`, undefined, 4)],
  ['offsets that fall', fileOf(`{"a":${tensor('[1]', 4, 0)}}`, undefined, 4)],
  ['offsets beyond the file', fileOf(`{"a":${tensor('[1073741824]', 0, 4294967296)}}`, undefined, 4)],
  ['duplicate names', fileOf(`{"a":${tensor('[1]', 0, 4)},"a":${tensor('[1]', 4, 8)}}`, undefined, 8)],
  ['a tensor called __proto__', fileOf(`{"__proto__":${tensor('[1]', 0, 4)}}`, undefined, 4)],
  ['metadata called __proto__', fileOf('{"__metadata__":{"__proto__":"x","constructor":"y","format":"opmf"}}')],
])('%s', (_name, bytes) => {
  const before = process.memoryUsage().arrayBuffers;
  expect(() => loadRecommender(bytes)).toThrow(FormatError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  expect(({} as Record<string, unknown>).format).toBeUndefined();
});
