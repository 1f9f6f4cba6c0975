// UTF-8 with the host's coders and without: the same bytes, the same text, the same refusals.

import { decodeUtf8, encodeUtf8 } from '../../src/io/files/safetensors';

const texts = [
  '',
  'tea',
  '100 %',
  '%41',
  'é ü ß',
  '日本',
  '🍵',
  '\ufeffid',
  '\u0000\u007f\u0080\u07ff\u0800\uffff\u{10ffff}',
];
const damaged = [[0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xff]];

describe.each(['with', 'without'])('%s the coders of the host', (how) => {
  const { TextEncoder, TextDecoder } = globalThis;
  beforeAll(() => {
    if (how === 'without') Object.assign(globalThis, { TextEncoder: undefined, TextDecoder: undefined });
  });
  afterAll(() => {
    Object.assign(globalThis, { TextEncoder, TextDecoder });
  });

  test.each(texts)('%j', (text) => {
    const bytes = encodeUtf8(text);
    expect([...bytes]).toEqual([...Buffer.from(text)]);
    expect(decodeUtf8(bytes)).toBe(text);
  });

  test.each(damaged.map((bytes) => [bytes]))('%j is refused', (bytes) => {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow();
  });
});
