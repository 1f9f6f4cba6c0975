// WebAssembly instructions as functions of their operands: f32.add(a, b) is the code that computes a, then b, then adds.
// A piece of code knows the type of what it leaves on the stack, so that TypeScript checks what an assembler would.
// Encodings: WebAssembly core specification 2.0, section 5.4, and its SIMD and threads proposals.

/** The types of values; `void` is code that leaves nothing. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Code that leaves a value of type T, or nothing. */
export interface Code<T extends ValueType | 'void' = ValueType | 'void'> {
  readonly type: T;
  readonly bytes: readonly number[];
}

/** A local variable of a function, or a parameter; as code it is read. */
export interface Local<T extends ValueType> extends Code<T> {
  readonly index: number;
}

function code<T extends ValueType | 'void'>(type: T, ...parts: readonly (readonly number[])[]): Code<T> {
  return { type, bytes: ([] as number[]).concat(...parts) };
}

/** Throws where a number of an instruction is none of its range: an encoding would cut it silently. */
export function whole(value: number, least: number, most: number, what: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${what} is ${value}; want a whole number from ${least} to ${most}`);
}

/** An unsigned LEB128 number of at most 32 bits. */
export function unsigned(value: number): number[] {
  whole(value, 0, 2 ** 32 - 1, 'an index, a size or an offset');
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return bytes;
}

/** A signed LEB128 number of at most 32 bits. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    bytes.push(isLast ? low : low | 128);
    if (isLast) return bytes;
  }
}

function unary<A extends ValueType, R extends ValueType | 'void'>(result: R, ...op: number[]) {
  return (a: Code<A>): Code<R> => code(result, a.bytes, op);
}

function binary<A extends ValueType, R extends ValueType | 'void'>(result: R, ...op: number[]) {
  return (a: Code<A>, b: Code<A>): Code<R> => code(result, a.bytes, b.bytes, op);
}

function load<R extends ValueType>(result: R, alignment: number, ...op: number[]) {
  return (address: Code<'i32'>, offset = 0): Code<R> => code(result, address.bytes, op, [alignment], unsigned(offset));
}

function store<A extends ValueType>(alignment: number, ...op: number[]) {
  return (address: Code<'i32'>, value: Code<A>, offset = 0): Code<'void'> =>
    code('void', address.bytes, value.bytes, op, [alignment], unsigned(offset));
}

/** All lanes by the same number of bits. */
function shift(op: number) {
  return (a: Code<'v128'>, by: Code<'i32'>): Code<'v128'> => code('v128', a.bytes, by.bytes, [0xfd, op, 0x01]);
}

const floats = new DataView(new ArrayBuffer(8));

export const i32 = {
  /** With or without a sign: addresses are unsigned. */
  const: (value: number): Code<'i32'> =>
    code('i32', [0x41], signed(whole(value, -(2 ** 31), 2 ** 32 - 1, 'i32.const'))),
  load: load('i32', 2, 0x28),
  /** One byte, without a sign. */
  load8: load('i32', 0, 0x2d),
  store: store<'i32'>(2, 0x36),
  add: binary<'i32', 'i32'>('i32', 0x6a),
  sub: binary<'i32', 'i32'>('i32', 0x6b),
  mul: binary<'i32', 'i32'>('i32', 0x6c),
  remU: binary<'i32', 'i32'>('i32', 0x70),
  and: binary<'i32', 'i32'>('i32', 0x71),
  xor: binary<'i32', 'i32'>('i32', 0x73),
  rotl: binary<'i32', 'i32'>('i32', 0x77),
  shl: binary<'i32', 'i32'>('i32', 0x74),
  shrU: binary<'i32', 'i32'>('i32', 0x76),
  shrS: binary<'i32', 'i32'>('i32', 0x75),
  eqz: unary<'i32', 'i32'>('i32', 0x45),
  ne: binary<'i32', 'i32'>('i32', 0x47),
  ltU: binary<'i32', 'i32'>('i32', 0x49),
  geU: binary<'i32', 'i32'>('i32', 0x4f),
  /** How many bits are 0 below the lowest that is not. */
  ctz: unary<'i32', 'i32'>('i32', 0x68),
  reinterpret: unary<'f32', 'i32'>('i32', 0xbc),
  /** Of a double, toward zero; what does not fit is clamped. */
  truncate: unary<'f64', 'i32'>('i32', 0xfc, 2),
};

export const i64 = {
  load: load('i64', 3, 0x29),
  store: store<'i64'>(3, 0x37),
  /** Of an i32, with its sign. */
  extend: unary<'i32', 'i64'>('i64', 0xac),
  /** Without. */
  extendU: unary<'i32', 'i64'>('i64', 0xad),
  mul: binary<'i64', 'i64'>('i64', 0x7e),
  /** Of 32 bits, with a sign. */
  const: (value: number): Code<'i64'> =>
    code('i64', [0x42], signed(whole(value, -(2 ** 31), 2 ** 31 - 1, 'i64.const'))),
  ltU: binary<'i64', 'i32'>('i32', 0x54),
  or: binary<'i64', 'i64'>('i64', 0x84),
  shl: binary<'i64', 'i64'>('i64', 0x86),
  shrU: binary<'i64', 'i64'>('i64', 0x88),
  reinterpret: unary<'f64', 'i64'>('i64', 0xbd),
  wrap: unary<'i64', 'i32'>('i32', 0xa7),
};

export const f32 = {
  const(value: number): Code<'f32'> {
    floats.setFloat32(0, value, true);
    return code(
      'f32',
      [0x43],
      Array.from({ length: 4 }, (_, i) => floats.getUint8(i)),
    );
  },
  load: load('f32', 2, 0x2a),
  store: store<'f32'>(2, 0x38),
  add: binary<'f32', 'f32'>('f32', 0x92),
  sub: binary<'f32', 'f32'>('f32', 0x93),
  mul: binary<'f32', 'f32'>('f32', 0x94),
  div: binary<'f32', 'f32'>('f32', 0x95),
  sqrt: unary<'f32', 'f32'>('f32', 0x91),
  max: binary<'f32', 'f32'>('f32', 0x97),
  ne: binary<'f32', 'i32'>('i32', 0x5c),
  gt: binary<'f32', 'i32'>('i32', 0x5e),
  ge: binary<'f32', 'i32'>('i32', 0x60),
  demote: unary<'f64', 'f32'>('f32', 0xb6),
  lane: (index: number) => unary<'v128', 'f32'>('f32', 0xfd, 0x1f, whole(index, 0, 3, 'a lane')),
};

export const f64 = {
  const(value: number): Code<'f64'> {
    floats.setFloat64(0, value, true);
    return code(
      'f64',
      [0x44],
      Array.from({ length: 8 }, (_, i) => floats.getUint8(i)),
    );
  },
  load: load('f64', 3, 0x2b),
  store: store<'f64'>(3, 0x39),
  add: binary<'f64', 'f64'>('f64', 0xa0),
  sub: binary<'f64', 'f64'>('f64', 0xa1),
  mul: binary<'f64', 'f64'>('f64', 0xa2),
  div: binary<'f64', 'f64'>('f64', 0xa3),
  sqrt: unary<'f64', 'f64'>('f64', 0x9f),
  abs: unary<'f64', 'f64'>('f64', 0x99),
  neg: unary<'f64', 'f64'>('f64', 0x9a),
  floor: unary<'f64', 'f64'>('f64', 0x9c),
  max: binary<'f64', 'f64'>('f64', 0xa5),
  eq: binary<'f64', 'i32'>('i32', 0x61),
  ne: binary<'f64', 'i32'>('i32', 0x62),
  lt: binary<'f64', 'i32'>('i32', 0x63),
  gt: binary<'f64', 'i32'>('i32', 0x64),
  le: binary<'f64', 'i32'>('i32', 0x65),
  ge: binary<'f64', 'i32'>('i32', 0x66),
  promote: unary<'f32', 'f64'>('f64', 0xbb),
  convert: unary<'i32', 'f64'>('f64', 0xb7),
  /** Of a number without a sign. */
  convertU: unary<'i32', 'f64'>('f64', 0xb8),
  reinterpret: unary<'i64', 'f64'>('f64', 0xbf),
};

export const v128 = {
  load: load('v128', 4, 0xfd, 0x00),
  store: store<'v128'>(4, 0xfd, 0x0b),
  /** One number of four bytes in every lane. */
  loadSplat: load('v128', 2, 0xfd, 0x09),
  /** One number of eight bytes in both lanes. */
  loadSplat64: load('v128', 3, 0xfd, 0x0a),
  and: binary<'v128', 'v128'>('v128', 0xfd, 0x4e),
  or: binary<'v128', 'v128'>('v128', 0xfd, 0x50),
  xor: binary<'v128', 'v128'>('v128', 0xfd, 0x51),
  /** The bits of `a` where the mask has ones, else those of `b`. */
  bitselect: (a: Code<'v128'>, b: Code<'v128'>, mask: Code<'v128'>): Code<'v128'> =>
    code('v128', a.bytes, b.bytes, mask.bytes, [0xfd, 0x52]),
};

export const i32x4 = {
  const: (...lanes: readonly [number, number, number, number]): Code<'v128'> =>
    code('v128', [0xfd, 0x0c], [...new Uint8Array(Int32Array.from(lanes).buffer)]),
  splat: unary<'i32', 'v128'>('v128', 0xfd, 0x11),
  /** Of vectors of eight whole numbers of 16 bits: lane i is the sum of the products 2 i and 2 i + 1. */
  dot: binary<'v128', 'v128'>('v128', 0xfd, 0xba, 0x01),
  /** Ones in the lanes where a > b, with signs. */
  gt: binary<'v128', 'v128'>('v128', 0xfd, 0x3b),
  /** One bit for the sign of each lane: bit i is that of lane i. */
  bitmask: unary<'v128', 'i32'>('i32', 0xfd, 0xa4, 0x01),
  add: binary<'v128', 'v128'>('v128', 0xfd, 0xae, 0x01),
  sub: binary<'v128', 'v128'>('v128', 0xfd, 0xb1, 0x01),
  abs: unary<'v128', 'v128'>('v128', 0xfd, 0xa0, 0x01),
  shl: shift(0xab),
  shrS: shift(0xac),
  shrU: shift(0xad),
};

export const i64x2 = {
  shrU: shift(0xcd),
};

export const f32x4 = {
  zero: (): Code<'v128'> => code('v128', [0xfd, 0x0c], new Array<number>(16).fill(0)),
  splat: unary<'f32', 'v128'>('v128', 0xfd, 0x13),
  add: binary<'v128', 'v128'>('v128', 0xfd, 0xe4, 0x01),
  sub: binary<'v128', 'v128'>('v128', 0xfd, 0xe5, 0x01),
  mul: binary<'v128', 'v128'>('v128', 0xfd, 0xe6, 0x01),
  div: binary<'v128', 'v128'>('v128', 0xfd, 0xe7, 0x01),
  sqrt: unary<'v128', 'v128'>('v128', 0xfd, 0xe3, 0x01),
  max: binary<'v128', 'v128'>('v128', 0xfd, 0xe9, 0x01),
  /** Of whole numbers with signs. */
  convert: unary<'v128', 'v128'>('v128', 0xfd, 0xfa, 0x01),
  lt: binary<'v128', 'v128'>('v128', 0xfd, 0x43),
  gt: binary<'v128', 'v128'>('v128', 0xfd, 0x44),
  ge: binary<'v128', 'v128'>('v128', 0xfd, 0x46),
  /** Lanes of `a` (0 to 3) and of `b` (4 to 7). */
  shuffle: (a: Code<'v128'>, b: Code<'v128'>, ...lanes: readonly [number, number, number, number]): Code<'v128'> =>
    code(
      'v128',
      a.bytes,
      b.bytes,
      [0xfd, 0x0d],
      lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * whole(lane, 0, 7, 'a lane') + byte)),
    ),
  /** Lanes 2, 3, 2, 3. */
  highHalf: (a: Code<'v128'>, b: Code<'v128'>): Code<'v128'> =>
    code('v128', a.bytes, b.bytes, [0xfd, 0x0d], [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]),
  anyTrue: unary<'v128', 'i32'>('i32', 0xfd, 0x53),
  /** Of two doubles; the other lanes are 0. */
  demote: unary<'v128', 'v128'>('v128', 0xfd, 0x5e),
};

export const f64x2 = {
  add: binary<'v128', 'v128'>('v128', 0xfd, 0xf0, 0x01),
  sub: binary<'v128', 'v128'>('v128', 0xfd, 0xf1, 0x01),
  mul: binary<'v128', 'v128'>('v128', 0xfd, 0xf2, 0x01),
  div: binary<'v128', 'v128'>('v128', 0xfd, 0xf3, 0x01),
  sqrt: unary<'v128', 'v128'>('v128', 0xfd, 0xef, 0x01),
  gt: binary<'v128', 'v128'>('v128', 0xfd, 0x4a),
  /** Of the two low lanes of integers, with or without signs. */
  convertS: unary<'v128', 'v128'>('v128', 0xfd, 0xfe, 0x01),
  convertU: unary<'v128', 'v128'>('v128', 0xfd, 0xff, 0x01),
};

const VALUE_TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const VOID_BLOCK = 0x40;

/** The byte of a value type. */
export function typeByte(type: ValueType): number {
  return VALUE_TYPES[type];
}

export const set = <T extends ValueType>({ index }: Local<T>, value: Code<T>): Code<'void'> =>
  code('void', value.bytes, [0x21], unsigned(index));

/** Statements, one after another. */
export const sequence = (...statements: readonly Code<'void'>[]): Code<'void'> =>
  code('void', ...statements.map(({ bytes }) => bytes));

/** `a` where the condition is not 0, else `b`; both are computed. */
export const select = <T extends ValueType>(a: Code<T>, b: Code<T>, condition: Code<'i32'>): Code<T> =>
  code(a.type, a.bytes, b.bytes, condition.bytes, [0x1b]);

/** Runs the body over and over while the condition, read at its start, holds. */
export const loopWhile = (condition: Code<'i32'>, ...body: readonly Code<'void'>[]): Code<'void'> =>
  code(
    'void',
    [0x02, VOID_BLOCK, 0x03, VOID_BLOCK],
    i32.eqz(condition).bytes,
    [0x0d, 1],
    sequence(...body).bytes,
    [0x0c, 0, 0x0b, 0x0b],
  );

/** Runs the body once, and over and over while the condition, read at its end, holds. */
export const doWhile = (condition: Code<'i32'>, ...body: readonly Code<'void'>[]): Code<'void'> =>
  code('void', [0x03, VOID_BLOCK], sequence(...body).bytes, condition.bytes, [0x0d, 0, 0x0b]);

/** Runs the body where the condition holds, else the other. */
export const branch = (condition: Code<'i32'>, then: Code<'void'>, otherwise?: Code<'void'>): Code<'void'> =>
  code('void', condition.bytes, [0x04, VOID_BLOCK], then.bytes, otherwise ? [0x05, ...otherwise.bytes] : [], [0x0b]);

/** A value that is computed one way or the other. */
export const choose = <T extends ValueType>(condition: Code<'i32'>, then: Code<T>, otherwise: Code<T>): Code<T> =>
  code(then.type, condition.bytes, [0x04, typeByte(then.type)], then.bytes, [0x05], otherwise.bytes, [0x0b]);

/** Leaves the function with a value. */
export const leave = (value: Code<ValueType>): Code<'void'> => code('void', value.bytes, [0x0f]);

/** Calls a function by its number. */
export const call = <R extends ValueType | 'void'>(result: R, index: number, ...operands: readonly Code[]): Code<R> =>
  code(result, ...operands.map(({ bytes }) => bytes), [0x10], unsigned(index));

// A WebAssembly module with one imported memory and some exported functions, put together from code.
// WebAssembly core specification 2.0, section 5.5. A module has no more than this library needs.

/** A function being written: its parameters, its locals, its body. */
export class FunctionBuilder<R extends ValueType | 'void' = ValueType | 'void'> {
  private readonly parameters: ValueType[] = [];
  private readonly locals: ValueType[] = [];
  /** Of parameters and locals, by index; for debugging. */
  private readonly names: (string | undefined)[] = [];
  private readonly body: Code[] = [];

  constructor(
    readonly index: number,
    readonly result: R,
    readonly name: string | undefined,
  ) {}

  /** The next parameter. All parameters come before the first local. */
  parameter<T extends ValueType>(type: T, name?: string): Local<T> {
    if (this.locals.length > 0) throw new TypeError('a parameter after a local would renumber the locals');
    this.parameters.push(type);
    return this.named(type, name);
  }

  local<T extends ValueType>(type: T, name?: string): Local<T> {
    this.locals.push(type);
    return this.named(type, name);
  }

  private named<T extends ValueType>(type: T, name: string | undefined): Local<T> {
    const index = this.names.push(name) - 1;
    return { ...code(type, [0x20], unsigned(index)), index };
  }

  /** Adds statements; the last code of a function with a result leaves it. */
  emit(...code: readonly Code[]): void {
    for (const piece of code) {
      const last = this.body.at(-1)?.type ?? 'void';
      if (last !== 'void') throw new TypeError(`code after the ${last} that is the function's result`);
      if (piece.type !== 'void' && piece.type !== this.result)
        throw new TypeError(`code that leaves a ${piece.type} in a function whose result is ${this.result}`);
      this.body.push(piece);
    }
  }

  /** A call of this function. */
  call(...operands: readonly Code[]): Code<R> {
    return call(this.result, this.index, ...operands);
  }

  get type(): number[] {
    const { parameters, result } = this;
    return [
      0x60,
      ...vector(parameters.map((type) => [typeByte(type)])),
      ...vector(result === 'void' ? [] : [[typeByte(result)]]),
    ];
  }

  /** The names of parameters and locals as the name section has them. */
  get localNames(): number[] {
    const named = [...this.names.entries()].filter(([, name]) => name !== undefined);
    return vector(named.map(([index, name]) => [...unsigned(index), ...text(name!)]));
  }

  get code(): number[] {
    const { name = `function ${this.index}`, result } = this;
    if ((this.body.at(-1)?.type ?? 'void') !== result) throw new TypeError(`${name} leaves no ${result}`);
    const locals = vector(this.locals.map((type) => [1, typeByte(type)]));
    const body = sequence(...(this.body as Code<'void'>[])).bytes;
    return sized([...locals, ...body, 0x0b]);
  }
}

/** What 32 bits can address, in pages. */
export const MOST_PAGES = 65536;

/** The memory that a module works in. */
export interface MemoryShape {
  /** The least, in pages of 64 KiB. */
  readonly pages: number;
  readonly isShared: boolean;
}

/** A module being written. */
export class ModuleBuilder {
  private readonly functions: FunctionBuilder[] = [];
  private readonly exports: { name: string; index: number }[] = [];

  /** A function of this module; exported under a name where one is given. */
  function<R extends ValueType | 'void'>(result: R, name?: string): FunctionBuilder<R> {
    if (name !== undefined && this.exports.some((other) => other.name === name))
      throw new TypeError(`a second function called ${name}`);
    const builder = new FunctionBuilder(this.functions.length, result, name);
    this.functions.push(builder as unknown as FunctionBuilder);
    if (name !== undefined) this.exports.push({ name, index: builder.index });
    return builder;
  }

  /** The function of this module that is exported under a name. */
  named(name: string): FunctionBuilder {
    return this.functions[this.exports.find((one) => one.name === name)!.index]!;
  }

  /** The binary. The memory is imported as `host.memory`. With names (of functions and locals) it is for reading, not for use. */
  encode({ pages, isShared }: MemoryShape, hasNames = false): Uint8Array<ArrayBuffer> {
    whole(pages, 0, MOST_PAGES, 'the pages of a memory');
    // A memory that is shared has a maximum, and any will do.
    const limits = isShared ? [3, ...unsigned(pages), ...unsigned(MOST_PAGES)] : [0, ...unsigned(pages)];
    return Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, vector(this.functions.map((f) => f.type))),
      ...section(2, vector([[...text('host'), ...text('memory'), 2, ...limits]])),
      ...section(3, vector(this.functions.map((_, i) => unsigned(i)))),
      ...section(7, vector(this.exports.map(({ name, index }) => [...text(name), 0, ...unsigned(index)]))),
      ...section(10, vector(this.functions.map((f) => f.code))),
      ...(hasNames ? section(0, [...text('name'), ...this.names]) : []),
    ]);
  }

  /** The name section: WebAssembly core specification 2.0, appendix 7.4. */
  private get names(): number[] {
    const functions = this.functions.filter(({ name }) => name !== undefined);
    return [
      ...section(1, vector(functions.map(({ index, name }) => [...unsigned(index), ...text(name!)]))),
      ...section(2, vector(this.functions.map((f) => [...unsigned(f.index), ...f.localNames]))),
    ];
  }
}

function section(id: number, content: readonly number[]): number[] {
  return [id].concat(sized(content));
}

function sized(content: readonly number[]): number[] {
  return unsigned(content.length).concat(content);
}

function vector(items: readonly (readonly number[])[]): number[] {
  return unsigned(items.length).concat(...items);
}

function text(name: string): number[] {
  return sized(Array.from(name, (letter) => letter.charCodeAt(0)));
}
