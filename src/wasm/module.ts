// A WebAssembly module with one imported memory and some exported functions, put together from code.
// WebAssembly core specification 2.0, section 5.5. A module has no more than this library needs.

import { type Code, call, type Local, sequence, typeByte, unsigned, type ValueType, whole } from './code';

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
    return { type, index: this.names.push(name) - 1 };
  }

  local<T extends ValueType>(type: T, name?: string): Local<T> {
    this.locals.push(type);
    return { type, index: this.names.push(name) - 1 };
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
  /** In pages of 64 KiB. */
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

  /** The binary. The memory is imported as `host.memory`. With names (of functions and locals) it is for reading, not for use. */
  encode({ pages, isShared }: MemoryShape, hasNames = false): Uint8Array<ArrayBuffer> {
    whole(pages, 0, MOST_PAGES, 'the pages of a memory');
    const limits = isShared ? [3, ...unsigned(pages), ...unsigned(pages)] : [0, ...unsigned(pages)];
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
