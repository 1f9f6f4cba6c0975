// A store in the memory of the process, for tests: what the real ones are compared with.

import { type Backend, CheckedStore, type Fault } from '../../src/node/distributed/stores/checked-store';

/** Some backends of one memory. */
export class MemoryBackend implements Backend {
  readonly name = 'memory';
  constructor(readonly values: Map<string, Buffer> = new Map()) {}

  async probe(): Promise<void> {}
  async read(key: string): Promise<Buffer | undefined> {
    const bytes = this.values.get(key);
    if (bytes === undefined) return undefined;
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    return copy;
  }
  async exists(key: string): Promise<boolean> {
    return this.values.has(key);
  }
  async create(key: string, bytes: Buffer): Promise<void> {
    if (!this.values.has(key)) this.values.set(key, bytes);
  }
  async removeAll(prefix: string): Promise<void> {
    for (const key of [...this.values.keys()]) if (key.startsWith(prefix)) this.values.delete(key);
  }
  async close(): Promise<void> {}
  explain(error: unknown): Fault {
    return { isTransient: true, reason: (error as Error).message };
  }
}

/** @param values - what several stores share. */
export function memoryStore(values?: Map<string, Buffer>): CheckedStore {
  return new CheckedStore(new MemoryBackend(values), 0);
}
