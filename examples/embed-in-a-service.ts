// A recommender inside a service: rows in memory, training in the background, answers all the while, one file of bytes.
// Run: node benchmarks/run.mjs examples/embed-in-a-service.ts
// In a project of your own the same imports come from the package (npm install opmf), and Node 22.18 or later runs the file as
// it is: node embed-in-a-service.ts

import {
  type Id,
  Interactions,
  loadRecommender,
  OverparamMF,
  type OverparamMFOptions,
  type RecommendationList,
  type Recommender,
  syntheticInteractions,
} from 'opmf';

/** Collects ratings, trains on them when told, and answers from the last model that was trained to its end. */
class RecommendationService {
  private readonly users: Id[] = [];
  private readonly items: Id[] = [];
  private readonly values: number[] = [];
  private model: Recommender | undefined;
  private running: AbortController | undefined;
  private readonly options: OverparamMFOptions;

  constructor(options: OverparamMFOptions = {}) {
    this.options = options;
  }

  /** Notes a rating; the next refit learns from it. A later rating of the same pair replaces the earlier one. */
  rate(userId: Id, itemId: Id, value: number): void {
    this.users.push(userId);
    this.items.push(itemId);
    this.values.push(value);
  }

  /**
   * Trains a new model on all ratings so far and then puts it in the place of the old one, which answers meanwhile.
   * A refit that is still running gives way. Resolves to whether this one came to its end.
   */
  async refit(): Promise<boolean> {
    this.running?.abort();
    const own = new AbortController();
    this.running = own;
    const { users: userIds, items: itemIds, values } = this;
    const model = new OverparamMF(this.options);
    try {
      await model.fit(Interactions.fromColumns({ userIds, itemIds, values }), { signal: own.signal });
    } catch (error) {
      if (own.signal.aborted) return false;
      throw error;
    } finally {
      if (this.running === own) this.running = undefined;
    }
    this.model = model;
    return true;
  }

  /** Stops a refit that is running: for a shutdown. */
  stop(): void {
    this.running?.abort();
  }

  /** The best items that the user has not rated; popular ones for a user that training never saw. */
  recommend(userId: Id, n = 5): RecommendationList | undefined {
    return this.model?.recommend(userId, { n });
  }

  /** The trained model as bytes for a file, a bucket or a database; undefined before the first refit. */
  save(): Uint8Array | undefined {
    return this.model?.save();
  }

  /** Takes over a model that another process saved. */
  load(bytes: Uint8Array): void {
    this.model = loadRecommender(bytes);
  }
}

// A demonstration. The ratings come one by one, as they would from requests.
const service = new RecommendationService({ rank: 16 });
for (const { userId, itemId, value = 1 } of syntheticInteractions({ users: 400, items: 250, ratings: 20_000 })) {
  service.rate(userId, itemId, value);
}
console.log(`before the first refit: ${service.recommend('7') ?? 'no answer yet'}`);

// A second refit starts while the first one runs: the first gives way. Other work of the process goes on meanwhile.
let scheduler = 0;
const clock = setInterval(() => scheduler++, 1);
const first = service.refit();
service.rate('7', '12', 5);
const second = service.refit();
console.log(`first refit came to its end: ${await first}, second: ${await second}`);
clearInterval(clock);
console.log(`other tasks ran while it trained: ${scheduler > 0}`);

const list = service.recommend('7', 3)!;
for (const { itemId, score } of list) console.log(`user 7 -> item ${itemId}, predicted ${score.toFixed(2)}`);
console.log(`somebody new gets the popular items: ${service.recommend('a stranger', 3)?.basis}`);

const bytes = service.save()!;
const replica = new RecommendationService();
replica.load(bytes);
const isSame = JSON.stringify(replica.recommend('7', 3)) === JSON.stringify(list);
console.log(`${bytes.length} bytes saved; a replica that loads them answers the same: ${isSame}`);
