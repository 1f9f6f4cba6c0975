// What stripes.ts wants of a store: whole values under keys, each written once. Folders, buckets and Redis are such (src/node).

/**
 * A store of values by key, for a training on several machines. Keys are of `[a-z0-9/.-]`, parts between slashes, up to 200
 * characters; values have 0 bytes or more, up to some 100 MB. Nothing is changed in place, so that readers need no locks.
 *
 * @example
 * ```ts
 * import type { StripeStore } from 'opmf/distributed';
 * const held = new Map<string, Uint8Array>();
 * const store: StripeStore = {
 *   get: async (key) => held.get(key),
 *   has: async (key) => held.has(key),
 *   put: async (key, bytes) => void (held.has(key) || held.set(key, bytes.slice())),
 *   remove: async (prefix) => [...held.keys()].filter((key) => key.startsWith(prefix)).forEach((key) => held.delete(key)),
 *   close: async () => undefined,
 * };
 * await store.put('a/b', Uint8Array.of(1));
 * await store.put('a/b', Uint8Array.of(2)); // the first writer wins
 * console.log(await store.get('a/b')); // Uint8Array(1) [ 1 ]
 * ```
 */
export interface StripeStore {
  /** The value of a key, the caller's to keep; undefined where there is none. Never a part of one. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Whether there is a value: cheaper than `get`. */
  has(key: string): Promise<boolean>;
  /**
   * Writes a value unless the key has one already: the first writer wins, and all others resolve without a change. Whole or not at
   * all, and durable once it has resolved. `bytes` are the caller's again after that, not before.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Removes every key that begins with `prefix`. */
  remove(prefix: string): Promise<void>;
  /** Ends connections. */
  close(): Promise<void>;
}
