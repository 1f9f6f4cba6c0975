// The type of bytes that this library makes, in a form that every version of TypeScript reads.

/**
 * Bytes of a buffer of their own, which `Blob`, `Response` and `crypto.subtle` take: Uint8Array<ArrayBuffer> since
 * TypeScript 5.7, Uint8Array before, where that type takes no argument.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>;
