// A WebAssembly module of 128-bit SIMD, written out byte by byte, that finds what this machine can do at most: a triad
// (a = b + s c) for bandwidth, and independent multiply-adds for the peak. WebAssembly has no fused multiply-add that
// rounds the same everywhere: a multiply and an add are two instructions.
// Opcodes: WebAssembly core specification 2.0, section 5.4 (webassembly.github.io/spec/core/binary/instructions.html).

const PAGE = 65_536;
/** Independent sums in flight: more than an addition's latency times its rate on any processor of today. */
export const SUMS = 12;
export const LANES = 4;

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const simd = (opcode: number) => [0xfd, ...uleb(opcode)];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const i32 = (value: number) => [0x41, ...sleb(value)];
/** A vector of one number in every lane. */
const splat = (value: number) => {
  const bytes = [...new Uint8Array(new Float32Array([value]).buffer)];
  return [...simd(12), ...bytes, ...bytes, ...bytes, ...bytes];
};
const MULTIPLY = simd(230);
const ADD = simd(228);
const [LOAD, STORE] = [
  [...simd(0), 4, 0],
  [...simd(11), 4, 0],
];
const [I32_ADD, I32_LESS] = [[0x6a], [0x49]];
const loop = (body: number[]) => [0x03, 0x40, ...body, 0x0d, 0, 0x0b];

export interface SimdProbe {
  /** a[0 .. bytes) = b + 0.5 c, by byte addresses; bytes a multiple of 16. */
  triad(a: number, b: number, c: number, bytes: number): void;
  /** So many rounds of SUMS multiply-adds of LANES lanes. */
  multiplyAdd(rounds: number): number;
}

/** The module with a memory of so many bytes. */
export function simdProbe(bytes: number): SimdProbe {
  const pages = Math.ceil(bytes / PAGE);
  const [a, b, c, end, at] = [0, 1, 2, 3, 4];
  const address = (base: number) => [...get(base), ...get(at), ...I32_ADD];
  const next = (counter: number, step: number) => [...get(counter), ...i32(step), ...I32_ADD, 0x22, counter];
  const sum = [...address(b), ...LOAD, ...address(c), ...LOAD, ...splat(0.5), ...MULTIPLY, ...ADD];
  const triad = loop([...address(a), ...sum, ...STORE, ...next(at, 16), ...get(end), ...I32_LESS]);

  const [rounds, done, first] = [0, 1, 2];
  const sums = Array.from({ length: SUMS }, (_, k) => first + k);
  // x <- x / 2 + 1 goes to 2 and stays there, an ordinary number.
  const step = (x: number) => [...get(x), ...splat(0.5), ...MULTIPLY, ...splat(1), ...ADD, ...set(x)];
  const multiplyAdd = [
    ...loop([...sums.flatMap(step), ...next(done, 1), ...get(rounds), ...I32_LESS]),
    ...get(first),
    ...sums.slice(1).flatMap((x) => [...get(x), ...ADD]),
    ...simd(31),
    0,
  ];
  const types = vector([
    [0x60, ...vector([[I32], [I32], [I32], [I32]]), 0],
    [0x60, ...vector([[I32]]), ...vector([[F32]])],
  ]);
  const bodies = vector([
    sized([...vector([[1, I32]]), ...triad, 0x0b]),
    sized([
      ...vector([
        [1, I32],
        [SUMS, V128],
      ]),
      ...multiplyAdd,
      0x0b,
    ]),
  ]);
  const module = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, vector([[0], [1]])),
    ...section(5, vector([[0, ...uleb(pages)]])),
    ...section(7, vector([exported('triad', 0), exported('multiplyAdd', 1)])),
    ...section(10, bodies),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  return exports as unknown as SimdProbe;
}

function uleb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...uleb(value >>> 7)];
}

/** Small numbers that are not negative. */
function sleb(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...sleb(value >>> 7)];
}

function sized(bytes: readonly number[]): number[] {
  return [...uleb(bytes.length), ...bytes];
}

function vector(entries: readonly (readonly number[])[]): number[] {
  return [...uleb(entries.length), ...entries.flat()];
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...sized(bytes)];
}

function exported(name: string, index: number): number[] {
  return [...sized([...new TextEncoder().encode(name)]), 0, index];
}
