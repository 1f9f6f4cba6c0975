// The assembler: every instruction against what it says it computes, programs as text, and what it refuses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Code,
  choose,
  f32,
  f32x4,
  f64,
  f64x2,
  i32,
  i32x4,
  i64,
  i64x2,
  ModuleBuilder,
  select,
  v128,
} from '../../src/wasm/assembler';
import { compile, createMemory, instantiate, inWasm, Unavailable } from '../../src/wasm/host';
import { wasmText } from '../support/wasm-text';

const SHAPE = { pages: 1, isShared: false };

/** What code comes to, and the memory after it. */
function run(code: Code<'i32'> | Code<'f32'> | Code<'f64'>, ...effects: Code<'void'>[]): number {
  const module = new ModuleBuilder();
  module.function(code.type, 'run').emit(...effects, code);
  return instantiate<{ run(): number }>(compile(module.encode(SHAPE)), createMemory(1)).run();
}

const bits = (lanes: Code<'v128'>, lane: number) => f32.lane(lane)(lanes);
const ints = (value: number) => i32x4.splat(i32.const(value));
/** A whole number from the first lane: by f64x2.convertS and f32x4.demote. */
const whole = (lanes: Code<'v128'>) => bits(f32x4.demote(f64x2.convertS(lanes)), 0);
const of = (...lanes: [number, number, number, number]) => lanes.map((value) => f32x4.splat(f32.const(value)))[0]!;

describe('instructions compute what they are called', () => {
  test.each<[string, Code<'i32'>, number]>([
    ['i32.add', i32.add(i32.const(5), i32.const(-7)), -2],
    ['i32.sub', i32.sub(i32.const(5), i32.const(7)), -2],
    ['i32.mul', i32.mul(i32.const(-5), i32.const(7)), -35],
    ['i32.and', i32.and(i32.const(12), i32.const(10)), 8],
    ['i32.xor', i32.xor(i32.const(12), i32.const(10)), 6],
    ['i32.shl', i32.shl(i32.const(3), i32.const(4)), 48],
    ['i32.shrU', i32.shrU(i32.const(-1), i32.const(28)), 15],
    ['i32.shrS', i32.shrS(i32.const(-16), i32.const(2)), -4],
    ['i32.eqz', i32.eqz(i32.const(0)), 1],
    ['i32.xor', i32.xor(i32.const(12), i32.const(10)), 6],
    ['i32.ne', i32.ne(i32.const(12), i32.const(10)), 1],
    ['i32.ctz', i32.ctz(i32.const(40)), 3],
    ['f32.ge', f32.ge(f32.const(2), f32.const(2)), 1],
    ['i32x4.add', i32x4.bitmask(i32x4.add(i32x4.const(1, -5, 3, 0), i32x4.const(-2, 5, -2, -1))), 9],
    ['f32x4.lt', i32x4.bitmask(f32x4.lt(f32x4.zero(), of(1, 1, 1, 1))), 15],
    ['i32.ltU', i32.ltU(i32.const(1), i32.const(-1)), 1],
    ['i32.geU', i32.geU(i32.const(1), i32.const(-1)), 0],
    ['i32.truncate', i32.truncate(f64.const(-2.9)), -2],
    ['i32.truncate of what does not fit', i32.truncate(f64.const(1e12)), 2 ** 31 - 1],
    ['an address without a sign', i32.shrU(i32.const(2 ** 32 - 1), i32.const(31)), 1],
    ['i64', i64.wrap(i64.shrU(i64.shl(i64.extend(i32.const(-1)), i64.const(60)), i64.const(62))), 3],
    [
      'i64.extendU and i64.mul',
      i64.wrap(i64.shrU(i64.mul(i64.extendU(i32.const(-1)), i64.const(6)), i64.const(32))),
      5,
    ],
    ['i64.ltU', i64.ltU(i64.const(1), i64.const(-1)), 1],
    ['i64.or', i64.wrap(i64.or(i64.const(5), i64.const(8))), 13],
    ['f64.lt', f64.lt(f64.const(1), f64.const(2)), 1],
    ['f64.gt', f64.gt(f64.const(1), f64.const(2)), 0],
    ['f64.le', f64.le(f64.const(2), f64.const(2)), 1],
    ['f64.ge', f64.ge(f64.const(1), f64.const(2)), 0],
    ['f64.eq', f64.eq(f64.const(2), f64.const(2)), 1],
    ['i32.reinterpret', i32.reinterpret(f32.const(1)), 0x3f800000],
    ['f64.ne of NaN', f64.ne(f64.const(NaN), f64.const(NaN)), 1],
    ['choose', choose(i32.const(0), i32.const(1), i32.const(2)), 2],
    ['select', select(i32.const(1), i32.const(2), i32.const(7)), 1],
    ['i32x4.bitmask', i32x4.bitmask(i32x4.gt(i32x4.const(1, -5, 3, 0), i32x4.splat(i32.const(0)))), 5],
    ['f32x4.anyTrue', f32x4.anyTrue(f32x4.zero()), 0],
  ])('%s', (_, code, expected) => expect(run(code)).toBe(expected));

  test.each<[string, Code<'f64'>, number]>([
    ['f64.add', f64.add(f64.const(0.1), f64.const(0.2)), 0.1 + 0.2],
    ['f64.sub', f64.sub(f64.const(0.1), f64.const(0.3)), 0.1 - 0.3],
    ['f64.mul', f64.mul(f64.const(0.1), f64.const(0.3)), 0.1 * 0.3],
    ['f64.div', f64.div(f64.const(1), f64.const(3)), 1 / 3],
    ['f64.sqrt', f64.sqrt(f64.const(2)), Math.sqrt(2)],
    ['f64.abs', f64.abs(f64.const(-2)), 2],
    ['f64.neg', f64.neg(f64.const(2)), -2],
    ['f64.floor', f64.floor(f64.const(-2.5)), -3],
    ['f64.max', f64.max(f64.const(-0), f64.const(0)), 0],
    ['f64.promote', f64.promote(f32.const(0.1)), Math.fround(0.1)],
    ['f64.convert', f64.convert(i32.const(-3)), -3],
    ['f64.reinterpret', f64.reinterpret(i64.shl(i64.const(1023), i64.const(52))), 1],
  ])('%s', (_, code, expected) => expect(run(code)).toBe(expected));

  test.each<[string, Code<'f32'>, number]>([
    ['f32.add', f32.add(f32.const(0.1), f32.const(0.2)), Math.fround(Math.fround(0.1) + Math.fround(0.2))],
    ['f32.sub', f32.sub(f32.const(1), f32.const(3)), -2],
    ['f32.mul', f32.mul(f32.const(3), f32.const(-3)), -9],
    ['f32.div', f32.div(f32.const(1), f32.const(3)), Math.fround(1 / 3)],
    ['f32.sqrt', f32.sqrt(f32.const(2)), Math.fround(Math.sqrt(2))],
    ['f32.max', f32.max(f32.const(1), f32.const(3)), 3],
    ['f32.demote', f32.demote(f64.const(0.1)), Math.fround(0.1)],
    ['f32x4.add', bits(f32x4.add(of(1, 1, 1, 1), of(2, 2, 2, 2)), 3), 3],
    ['f32x4.sub', bits(f32x4.sub(of(1, 1, 1, 1), of(2, 2, 2, 2)), 0), -1],
    ['f32x4.mul', bits(f32x4.mul(of(3, 3, 3, 3), of(2, 2, 2, 2)), 1), 6],
    ['f32x4.div', bits(f32x4.div(of(3, 3, 3, 3), of(2, 2, 2, 2)), 2), 1.5],
    ['f32x4.sqrt', bits(f32x4.sqrt(of(9, 9, 9, 9)), 2), 3],
    ['v128.and', bits(v128.and(of(1, 1, 1, 1), f32x4.zero()), 0), 0],
    ['v128.bitselect', bits(v128.bitselect(of(1, 1, 1, 1), of(2, 2, 2, 2), i32x4.const(-1, 0, -1, 0)), 1), 2],
    [
      'f32x4.highHalf',
      bits(
        f32x4.highHalf(v128.bitselect(of(1, 1, 1, 1), of(2, 2, 2, 2), i32x4.const(-1, -1, 0, 0)), of(1, 1, 1, 1)),
        0,
      ),
      2,
    ],
    ['v128.or', whole(v128.or(ints(12), ints(10))), 14],
    ['v128.xor', whole(v128.xor(ints(12), ints(10))), 6],
    ['i32x4.add', whole(i32x4.add(ints(5), ints(-7))), -2],
    ['i32x4.sub', whole(i32x4.sub(ints(5), ints(7))), -2],
    ['i32x4.abs', whole(i32x4.abs(ints(-7))), 7],
    ['i32x4.shl', whole(i32x4.shl(ints(3), i32.const(4))), 48],
    ['i32x4.shrS', whole(i32x4.shrS(ints(-16), i32.const(2))), -4],
    ['i32x4.shrU', whole(i32x4.shrU(ints(-1), i32.const(28))), 15],
    ['i64x2.shrU', whole(i64x2.shrU(i32x4.const(0, 7, 0, 7), i32.const(32))), 7],
    ['f64x2.convertU', bits(f32x4.demote(f64x2.convertU(ints(2 ** 31))), 1), 2 ** 31],
    [
      'f64x2.div',
      bits(f32x4.demote(f64x2.div(f64x2.convertS(ints(1)), f64x2.convertS(ints(3)))), 1),
      Math.fround(1 / 3),
    ],
    ['f64x2.sqrt', bits(f32x4.demote(f64x2.sqrt(f64x2.convertS(ints(2)))), 0), Math.fround(Math.sqrt(2))],
    ['f64x2.gt', bits(v128.and(f64x2.gt(f64x2.convertS(ints(2)), f64x2.convertS(ints(1))), of(7, 7, 7, 7)), 3), 7],
    ['f32x4.ge', bits(v128.and(f32x4.ge(of(2, 2, 2, 2), of(2, 2, 2, 2)), of(7, 7, 7, 7)), 0), 7],
  ])('%s', (_, code, expected) => expect(run(code)).toBe(expected));

  test('loads and stores, with offsets', () => {
    const at = i32.const(16);
    expect(run(i32.load(at, 4), i32.store(i32.const(20), i32.const(-9)))).toBe(-9);
    expect(run(i64.wrap(i64.load(at, 8)), i64.store(i32.const(24), i64.const(-9)))).toBe(-9);
    expect(run(f32.load(i32.const(20)), f32.store(at, f32.const(2.5), 4))).toBe(2.5);
    expect(run(f64.load(at, 8), f64.store(i32.const(24), f64.const(0.1)))).toBe(0.1);
    expect(run(bits(v128.load(at), 3), v128.store(at, of(4, 4, 4, 4)))).toBe(4);
    expect(run(bits(v128.loadSplat(at, 4), 3), f32.store(i32.const(20), f32.const(6)))).toBe(6);
    const doubles = (op: (a: Code<'v128'>, b: Code<'v128'>) => Code<'v128'>) =>
      run(
        f64.load(at, 24),
        f64.store(at, f64.const(1.5)),
        v128.store(i32.const(32), op(v128.loadSplat64(at), v128.loadSplat64(at))),
      );
    expect([doubles(f64x2.add), doubles(f64x2.sub), doubles(f64x2.mul)]).toEqual([3, 0, 2.25]);
  });
});

test('names and text, as docs/assembler.md shows them', async () => {
  const page = readFileSync(join(__dirname, '../../docs/assembler.md'), 'utf8');
  const [, source = ''] = /```typescript\n([\s\S]*?)```/.exec(page) ?? [];
  const body = source.replace(/^import .*\n/gm, '').replace(/^console\.log.*\n/gm, '');
  const make = new Function('ModuleBuilder', 'f32', 'i32', 'loopWhile', 'set', `${body}; return module;`);
  const { loopWhile, set } = await import('../../src/wasm/assembler');
  const module: ModuleBuilder = make(ModuleBuilder, f32, i32, loopWhile, set);
  const memory = createMemory(1);
  new Float32Array(memory.buffer).set([1, 2, 3.5]);
  const plain = module.encode(SHAPE);
  expect(instantiate<{ sum(at: number, end: number): number }>(compile(plain), memory).sum(0, 12)).toBe(6.5);
  // Names are for reading: a module that runs has none.
  expect(Buffer.from(plain).includes('total')).toBe(false);
  const text = await wasmText(module.encode(SHAPE, true));
  const [, shown] = /```wat\n([\s\S]*?)```/.exec(page) ?? [];
  expect(text).toBe(shown);
  expect(WebAssembly.validate(module.encode(SHAPE, true))).toBe(true);
});

describe('what would be wrong silently is refused', () => {
  const module = () => new ModuleBuilder();
  test.each<[string, RegExp, () => unknown]>([
    ['a constant of more than 32 bits', /i32\.const is 4294967296/, () => i32.const(2 ** 32)],
    ['a constant with a fraction', /i32\.const is 1\.5/, () => i32.const(1.5)],
    ['a constant that is no number', /i32\.const is NaN/, () => i32.const(Number.NaN)],
    ['a constant of 64 bits', /i64\.const is 2147483648/, () => i64.const(2 ** 31)],
    ['a negative offset', /is -4; want a whole number from 0/, () => i32.load(i32.const(0), -4)],
    ['a lane of a vector of four', /a lane is 4/, () => f32.lane(4)],
    [
      'a parameter after a local',
      /parameter after a local/,
      () => {
        const f = module().function('void', 'f');
        f.local('i32');
        f.parameter('i32');
      },
    ],
    ['a result of another type', /leaves a f32 .* result is i32/, () => module().function('i32').emit(f32.const(1))],
    ['a value that nobody takes', /leaves a i32 .* result is void/, () => module().function('void').emit(i32.const(1))],
    [
      'two functions of one name',
      /second function called f/,
      () => {
        const one = module();
        one.function('void', 'f');
        one.function('void', 'f');
      },
    ],
    ['more memory than 32 bits', /memory is 70000/, () => module().encode({ pages: 70000, isShared: false })],
    ['code after the result', /after the i32/, () => module().function('i32').emit(i32.const(1), i32.const(2))],
  ])('%s', (_, message, make) => expect(make).toThrow(message));

  test('a function whose result is missing', () => {
    const one = module();
    one.function('i32', 'f').emit(i32.store(i32.const(0), i32.const(1)));
    expect(() => one.encode(SHAPE)).toThrow('f leaves no i32');
  });
});

describe('a bug in a program is told from a lack of WebAssembly', () => {
  const auto = (make: () => unknown) => () => inWasm('auto', make);

  test('a program that is invalid: a local of another function', () => {
    const module = new ModuleBuilder();
    const foreign = module.function('void', 'f').local('i32');
    module.function('i32', 'g').emit(foreign);
    expect(auto(() => compile(module.encode(SHAPE)))).toThrow('invalid program');
  });

  test('a memory smaller than the program takes it to be', () => {
    const module = new ModuleBuilder();
    module.function('void', 'f');
    const program = compile(module.encode({ pages: 3, isShared: false }));
    expect(auto(() => instantiate(program, createMemory(1)))).toThrow(WebAssembly.LinkError);
  });

  test('a valid program without leave to compile it, as under a content security policy', () => {
    const module = new ModuleBuilder();
    module.function('void', 'f');
    const spy = jest.spyOn(WebAssembly, 'Module').mockImplementation(() => {
      throw new WebAssembly.CompileError('disallowed by embedder');
    });
    try {
      expect(() => compile(module.encode(SHAPE))).toThrow(Unavailable);
      expect(inWasm('auto', () => compile(module.encode(SHAPE)))).toBeNull();
    } finally {
      spy.mockRestore();
    }
  });
});
