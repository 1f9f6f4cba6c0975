// A store that fails: half of the calls of a backend, by a fixed sequence, before or after they took effect.

import { Stream } from '../../src/core/random';
import type { Backend, Fault } from '../../src/node/distributed/stores/checked-store';

export class FailingBackend implements Backend {
  failures = 0;
  readonly #stream: Stream;

  constructor(
    private readonly backend: Backend,
    /** Of all calls. */
    private readonly share = 0.5,
    seed = 1,
  ) {
    this.#stream = Stream.of(seed);
  }
  get name(): string {
    return this.backend.name;
  }
  probe() {
    return this.#sometimes(() => this.backend.probe());
  }
  read(key: string) {
    return this.#sometimes(() => this.backend.read(key));
  }
  exists(key: string) {
    return this.#sometimes(() => this.backend.exists(key));
  }
  create(key: string, bytes: Buffer) {
    return this.#sometimes(() => this.backend.create(key, bytes));
  }
  removeAll(prefix: string) {
    return this.#sometimes(() => this.backend.removeAll(prefix));
  }
  close() {
    return this.backend.close();
  }
  explain(error: unknown): Fault {
    if ((error as Error).message !== 'drawn') return this.backend.explain(error);
    return { isTransient: true, reason: 'a failure was drawn' };
  }
  async #sometimes<T>(call: () => Promise<T>): Promise<T> {
    const [fails, isLate] = [this.#stream.uniform() < this.share, this.#stream.uniform() < 0.5];
    if (!fails) return call();
    this.failures++;
    if (isLate) await call();
    throw new Error('drawn');
  }
}
