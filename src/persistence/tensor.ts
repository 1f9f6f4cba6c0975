// A named array of a file: its element type, its shape and its elements, row-major. Only the element types that
// this library writes are here; safetensors knows more.

/** The element types, named as in safetensors. */
export type Dtype = 'F64' | 'F32' | 'I32' | 'U32' | 'U8';

/** The array that holds the elements of each type. */
export type TensorData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array as a file holds it. The product of `shape` is the length of `data`; an empty shape is one element. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What each element type is in memory. */
export const DTYPES: ReadonlyMap<
  string,
  { readonly array: new (buffer: ArrayBuffer) => TensorData; readonly bytes: number }
> = new Map([
  ['F64', { array: Float64Array, bytes: 8 }],
  ['F32', { array: Float32Array, bytes: 4 }],
  ['I32', { array: Int32Array, bytes: 4 }],
  ['U32', { array: Uint32Array, bytes: 4 }],
  ['U8', { array: Uint8Array, bytes: 1 }],
] as const);

/** The number of elements of a shape, or undefined where it is no shape or not a safe integer on the way. */
export function elementCount(shape: unknown): number | undefined {
  if (!Array.isArray(shape)) return undefined;
  let count = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) return undefined;
    count *= length;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}
