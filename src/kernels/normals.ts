// Normal draws in WebAssembly: the same bits as Stream.normals, which defines them, eight at a time. Four blocks of Threefry
// fill a vector each of radii and of angles; logarithms and cosines go two at a time in double.

import { ARTANH, COSINE, LN2_HIGH, LN2_LOW } from '../core/elementary';
import type { Stream } from '../core/random';
import { type Code, f32x4, f64x2, i32, i32x4, i64x2, type Local, ModuleBuilder, set, v128 } from '../wasm/assembler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import { ANY_MEMORY } from './program';
import { advance, times } from './walk';

/** Draws to a turn of the loop. */
const EIGHT = 8;
/** Draws to a call, which the page has room for after the constants. */
const MOST = 1 << 11;

/** normals(key0, key1, the first block, a count in eights, out): the scale is a constant of the memory. */
type Normals = (key0: number, key1: number, block: number, eights: number, out: number) => void;

/** The constants, by name: each the address of a double. */
const CONSTANTS = [
  ...[0, 1, 0.5, -2, Math.SQRT2, LN2_HIGH, LN2_LOW, 2 * Math.PI, 2 ** -32, 2 ** 52, 2 ** 52 + 1055],
  ...ARTANH,
  ...COSINE,
] as const;
const [SCALE, ONE, HALF, MINUS_TWO, SQRT2, HIGH, LOW, TURN, UNIT, WHOLE, BIAS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;
const FIRST_ARTANH = 11;
const FIRST_COSINE = FIRST_ARTANH + ARTANH.length;
const OUT = 8 * 64;

let found: { readonly normals: Normals; readonly scale: Float64Array; readonly out: Float32Array } | null | undefined;

/** As Stream.normals; `kernels` says who does the arithmetic, with the same bits. */
export function drawNormals(
  stream: Stream,
  out: Float32Array,
  from: number,
  to: number,
  scale: number,
  kernels: KernelChoice,
): void {
  if (kernels !== 'js') found ??= inWasm(kernels, setUp);
  const program = kernels === 'js' ? null : found;
  for (let start = from; start < to; start += MOST) {
    const count = Math.min(MOST, to - start);
    const place = program ? stream.skip(count + (count & 1)) : null;
    if (!program || place === null) {
      stream.normals(out, start, start + count, scale);
      continue;
    }
    program.scale[SCALE] = scale;
    program.normals(place.key0, place.key1, place.block, Math.ceil(count / EIGHT), OUT);
    out.set(program.out.subarray(0, count), start);
  }
}

function setUp() {
  const module = new ModuleBuilder();
  emitNormals(module);
  const memory = createMemory(OUT + 4 * MOST);
  const { normals } = instantiate<{ normals: Normals }>(compile(module.encode(ANY_MEMORY)), memory);
  const scale = new Float64Array(memory.buffer, 0, CONSTANTS.length);
  scale.set(CONSTANTS);
  return { normals, scale, out: new Float32Array(memory.buffer, OUT, MOST) };
}

const constant = (index: number): Code<'v128'> => v128.loadSplat64(i32.const(0), 8 * index);
const bits = (pattern: number): Code<'v128'> => i32x4.splat(i32.const(pattern));
/** A double of two words in both halves. */
const bits64 = (low: number, high: number): Code<'v128'> => i32x4.const(low, high, low, high);

function emitNormals(module: ModuleBuilder): void {
  const f = module.function('void', 'normals');
  const keys = [f.parameter('i32'), f.parameter('i32')] as const;
  const [block, eights, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const vector = () => f.local('v128');
  const injected = [vector(), vector(), vector()] as const;
  const [x0, x1, blocks] = [vector(), vector(), vector()];
  const radii = [vector(), vector()] as const;
  const turns = [vector(), vector()] as const;
  const [a, b, c, d] = [vector(), vector(), vector(), vector()];
  const rotations = [
    [13, 15, 26, 6],
    [17, 29, 16, 24],
  ] as const;
  const round = (by: number): Code<'void'>[] => [
    set(x0, i32x4.add(x0, x1)),
    set(x1, v128.xor(v128.or(i32x4.shl(x1, i32.const(by)), i32x4.shrU(x1, i32.const(32 - by))), x0)),
  ];
  const threefry = [1, 2, 3, 4, 5].flatMap((group) => [
    ...rotations[(group - 1) % 2]!.flatMap(round),
    set(x0, i32x4.add(x0, injected[group % 3]!)),
    set(x1, i32x4.add(x1, i32x4.add(injected[(group + 1) % 3]!, bits(group)))),
  ]);
  const horner = (sum: Local<'v128'>, square: Local<'v128'>, first: number, count: number) => [
    set(sum, constant(first + count - 1)),
    ...Array.from({ length: count - 1 }, (_, k) =>
      set(sum, f64x2.add(f64x2.mul(sum, square), constant(first + count - 2 - k))),
    ),
  ];
  /** scale sqrt(-2 log((w + 1) 2^-32)) of two words: logOfWord of elementary.ts. */
  const radius = (words: Code<'v128'>, result: Local<'v128'>): Code<'void'>[] => [
    set(a, f64x2.add(f64x2.convertU(words), constant(ONE))),
    // The exponent, that of 2^-32 included, as a double: its bits are those below 2^52.
    set(b, f64x2.sub(v128.or(i64x2.shrU(a, i32.const(52)), constant(WHOLE)), constant(BIAS))),
    set(a, v128.or(v128.and(a, bits64(-1, 0x000fffff)), constant(ONE))),
    set(c, f64x2.gt(a, constant(SQRT2))),
    set(b, f64x2.add(b, v128.and(c, constant(ONE)))),
    set(a, v128.bitselect(f64x2.mul(a, constant(HALF)), a, c)),
    set(a, f64x2.div(f64x2.sub(a, constant(ONE)), f64x2.add(a, constant(ONE)))),
    set(c, f64x2.mul(a, a)),
    ...horner(d, c, FIRST_ARTANH, ARTANH.length),
    // n ln 2 + 2 s sum, ln 2 in two parts.
    set(d, f64x2.mul(f64x2.add(a, a), d)),
    set(d, f64x2.add(f64x2.mul(b, constant(HIGH)), f64x2.add(d, f64x2.mul(b, constant(LOW))))),
    set(result, f64x2.mul(constant(SCALE), f64x2.sqrt(f64x2.mul(constant(MINUS_TWO), d)))),
  ];
  /** The radius times the cosine of two words as turns: cosineOfWord. */
  const cosine = (words: Local<'v128'>, length: Local<'v128'>): Code<'void'>[] => [
    set(a, i32x4.abs(words)),
    set(b, i32x4.shrS(i32x4.sub(bits(2 ** 30), a), i32.const(31))),
    set(a, i32x4.add(i32x4.sub(v128.xor(a, b), b), v128.and(b, bits(2 ** 31)))),
    set(a, f64x2.mul(constant(TURN), f64x2.mul(f64x2.convertS(a), constant(UNIT)))),
    set(c, f64x2.mul(a, a)),
    ...horner(d, c, FIRST_COSINE, COSINE.length),
    set(b, f64x2.convertS(i32x4.add(bits(1), i32x4.shl(b, i32.const(1))))),
    set(d, f32x4.demote(f64x2.mul(length, f64x2.mul(d, b)))),
  ];
  const half = (words: Code<'v128'>, isHigh: boolean) => (isHigh ? f32x4.highHalf(words, words) : words);
  const held = turns[1];
  const four = (isHigh: boolean): Code<'void'>[] => [
    ...radius(half(x0, isHigh), radii[0]),
    set(turns[0], half(x1, isHigh)),
    ...cosine(turns[0], radii[0]),
    set(held, d),
    // The sine: the cosine a quarter of a turn earlier.
    set(turns[0], i32x4.sub(turns[0], bits(2 ** 30))),
    ...cosine(turns[0], radii[0]),
    v128.store(out, f32x4.shuffle(held, d, 0, 4, 1, 5), isHigh ? 16 : 0),
  ];
  const [key0, key1] = keys;
  f.emit(
    set(injected[0], i32x4.splat(key0)),
    set(injected[1], i32x4.splat(key1)),
    set(injected[2], v128.xor(bits(0x1bd11bda), v128.xor(injected[0], injected[1]))),
    set(blocks, i32x4.add(i32x4.splat(block), i32x4.const(0, 1, 2, 3))),
    times(
      eights,
      set(x0, i32x4.add(blocks, injected[0])),
      set(x1, injected[1]),
      ...threefry,
      ...four(false),
      ...four(true),
      set(blocks, i32x4.add(blocks, bits(4))),
      advance(out, 4 * EIGHT),
    ),
  );
}
