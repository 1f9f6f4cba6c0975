// Kernels whose every call is made twice: in JavaScript on ordinary arrays, and on a heap, whose results must have
// the same bits and no effect beyond. The calls that a suite makes are then an exact comparison of the two.

import * as dispatch from '../../src/kernels/dispatch';
import { Heap, type Movable, type Move, once } from '../../src/kernels/heap';
import type { Kernel, Kernels } from '../../src/kernels/kernels';
import { matrixProgram } from '../../src/kernels/matrix';
import { productProgram } from '../../src/kernels/products';
import { rowProgram } from '../../src/kernels/rows';
import { sparseProgram } from '../../src/kernels/sparse';

type Argument = Movable | readonly Movable[] | number | null | object;

/** The programs of the kernels. */
export const programs = [rowProgram, productProgram, matrixProgram, sparseProgram];

/** The kernels as they are called. */
const called: Kernels = dispatch;

/** All kernels, each in JavaScript and in WebAssembly. */
export const table = Object.assign({}, ...programs.map(({ kernels }) => kernels)) as {
  readonly [Name in keyof Kernels]: Kernel<Name>;
};

const GUARD = 1234.5;

const isArray = (argument: Argument): argument is Movable => ArrayBuffer.isView(argument);
const isList = (argument: Argument): argument is readonly Movable[] => Array.isArray(argument);

/** The same arguments with other arrays. */
function withArrays(given: readonly Argument[], change: Move): Argument[] {
  return given.map((argument) =>
    isArray(argument) ? change(argument) : isList(argument) ? argument.map(change) : argument,
  );
}

function arraysOf(given: readonly Argument[]): Movable[] {
  return given.flatMap((argument) => (isArray(argument) ? [argument] : isList(argument) ? [...argument] : []));
}

/** Equal bits, but for the payloads of NaN. */
export function expectSameBits(got: Movable, wanted: Movable): void {
  const at = wanted.findIndex((value, i) => !Object.is(value, got[i]));
  if (at >= 0 || got.length !== wanted.length) expect({ at, value: got[at] }).toEqual({ at, value: wanted[at] });
}

type Routine = (...given: Argument[]) => number | undefined;

/** One routine, by both. */
function both(name: keyof Kernels): Routine {
  return (...given) => {
    const copies = withArrays(
      given,
      once((array) => array.slice() as typeof array),
    );
    const wanted = (table[name].js as Routine)(...copies);
    // Guards lie between the arrays.
    let guards: Float32Array[] = arraysOf(given).map(() => new Float32Array(8).fill(GUARD));
    let placed: Argument[] = given;
    const heap = Heap.holding((move) => {
      guards = guards.map((guard) => move(guard));
      let next = 0;
      placed = withArrays(given, (array) => {
        guards[next] = move(guards[next]!);
        next++;
        return move(array);
      });
    }, 'wasm');
    expect(heap).not.toBeNull();
    const inJavaScript = jest.spyOn(table[name], 'js');
    const got = (called[name] as Routine)(...placed);
    // On float32 it was WebAssembly.
    const isSingle = !arraysOf(given).some(
      (array, i) => array instanceof Float64Array && !(name === 'startPenalty' && i === 4),
    );
    if (isSingle) expect(inJavaScript).not.toHaveBeenCalled();
    inJavaScript.mockRestore();
    expect(got).toBe(wanted);
    for (const [i, array] of arraysOf(placed).entries()) {
      // Lists are room for WebAssembly alone.
      if (name === 'multiplySparse' && array instanceof Int32Array) continue;
      expectSameBits(array, arraysOf(copies)[i]!);
      arraysOf(given)[i]!.set(array);
    }
    for (const guard of guards) expect([...guard]).toEqual(new Array(8).fill(GUARD));
    return got;
  };
}

/** The kernels on a heap, each call compared. */
export const onHeap = Object.fromEntries(
  (Object.keys(table) as (keyof Kernels)[]).map((name) => [name, both(name)]),
) as unknown as Kernels;
