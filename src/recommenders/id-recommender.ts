// What every recommender does alike: it takes the caller's ids and options, checks them, asks a trained state by index,
// and gives ids back.

import { NotFittedError, UnknownIdError, UnsupportedError } from '../core/errors';
import { boolean, type Filled, field, integer, oneOf, optional, readOptions, wrong } from '../core/options';
import { Interactions } from '../interactions/interactions';
import type { Id, Vocabulary } from '../interactions/vocabulary';
import type { History } from '../training/history';
import type { Answers } from './answers';
import type {
  FitOptions,
  Recommendation,
  RecommendationList,
  Recommender,
  RecommendOptions,
  SaveOptions,
  SimilarOptions,
  SimilarUser,
} from './recommender';

/** A recommender over a trained state of one kind. */
export abstract class IdRecommender<A extends Answers> implements Recommender {
  abstract readonly name: string;
  abstract readonly options: object;
  private answers: A | undefined;

  protected constructor(
    /** The name of the class, for messages. */
    protected readonly owner: string,
  ) {}

  /** A recommender of the same kind and options, not fitted. */
  abstract fresh(): Recommender;
  /** Trains from the start. */
  abstract fit(data: Interactions, options?: FitOptions): Promise<History>;

  get isFitted(): boolean {
    return this.answers !== undefined;
  }

  /** The users, by id and index, in the order of the training's rows. */
  get users(): Vocabulary {
    return this.need('users').users;
  }
  /** The items, by id and index, in the order of the training's rows. */
  get items(): Vocabulary {
    return this.need('items').items;
  }

  /** Takes over a trained state. */
  protected install(answers: A): void {
    this.answers = answers;
  }

  /** The trained state. @throws NotFittedError before there is one */
  protected need(call: string): A {
    if (this.answers === undefined) throw new NotFittedError(this.owner, call);
    return this.answers;
  }

  knows(userId: Id, itemId: Id): boolean {
    const answers = this.need('knows');
    return answers.hasUser(answers.users.indexOf(userId)) && answers.hasItem(answers.items.indexOf(itemId));
  }

  /**
   * The predicted rating. For ids that training never saw it is the baseline: the mean and the biases that are known.
   * Clipped to the range of the training ratings unless `clip: false`. Cost: O(rank).
   */
  predict(userId: Id, itemId: Id): number {
    const answers = this.need('predict');
    return answers.predict(answers.users.indexOf(userId), answers.items.indexOf(itemId));
  }

  /** The predicted ratings of many pairs, in order. Cost: O(rank) a pair. */
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array {
    const answers = this.need('predictMany');
    if (pairs instanceof Interactions) return answers.predictAll(pairs);
    const predictions: number[] = [];
    for (const [userId, itemId] of checkList(pairs, 'pairs', 'Interactions, or a list of [userId, itemId]'))
      predictions.push(this.predict(userId, itemId));
    return Float32Array.from(predictions);
  }

  /**
   * The best unseen items of a user, best first; the popular ones for a user without training ratings, and `basis`
   * says so. Ties: the item that came first in the data. Cost: O(items x rank).
   */
  recommend(userId: Id, options?: RecommendOptions): RecommendationList {
    this.need('recommend');
    return this.recommendMany([userId], options).get(userId)!;
  }

  /** `recommend` for many users, a few at a time in one pass over the items. Memory: the lists. */
  recommendMany(userIds: Iterable<Id>, options?: RecommendOptions): Map<Id, RecommendationList> {
    const answers = this.need('recommendMany');
    const { users, items, seen } = answers;
    const read = readRecommendOptions(`${this.owner}.recommend`, options);
    const { n, filterSeen = seen.isKept, exclude = [], candidates } = read;
    if (filterSeen && !seen.isKept) {
      throw new UnsupportedError(
        `${this.owner}.recommend: filterSeen needs to know who has rated what, and this model was saved with history: false; ` +
          'save it with its history, or pass what the user has rated as exclude',
      );
    }
    const indicesOf = (ids: Iterable<Id>) => Array.from(ids, (id) => items.indexOf(id));
    const request = {
      n,
      filterSeen,
      exclude: indicesOf(exclude),
      candidates: candidates === undefined ? null : indicesOf(candidates),
    };
    const ids = [...new Set(checkList(userIds, 'userIds', 'a list or set of user ids'))];
    const rows = ids.map((id) => users.indexOf(id));
    const lists = answers.best(rows, request).map((ranked, at): RecommendationList => {
      const list = ranked.map(({ index, score }): Recommendation => ({ itemId: items.idOf(index), score }));
      const basis = answers.hasUser(rows[at]!) ? ('model' as const) : ('popularity' as const);
      return Object.assign(list, { basis });
    });
    return new Map(ids.map((id, at) => [id, lists[at]!]));
  }

  /** The items most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    const answers = this.need('similarItems');
    const { items } = answers;
    const row = items.indexOf(itemId);
    if (!answers.hasItem(row)) throw new UnknownIdError('item', itemId, `${this.owner}.similarItems`);
    const found = answers.similarItems(row, readSimilarOptions(`${this.owner}.similarItems`, options));
    return found.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
  }

  /** The users most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarUsers(userId: Id, options?: SimilarOptions): SimilarUser[] {
    const answers = this.need('similarUsers');
    const { users } = answers;
    const row = users.indexOf(userId);
    if (!answers.hasUser(row)) throw new UnknownIdError('user', userId, `${this.owner}.similarUsers`);
    const found = answers.similarUsers(row, readSimilarOptions(`${this.owner}.similarUsers`, options));
    return found.map(({ index, score }) => ({ userId: users.idOf(index), score }));
  }

  /** The trained state, the ids and the options as one safetensors file. `loadRecommender` reads it. */
  save(options?: SaveOptions): Uint8Array {
    const answers = this.need('save');
    const { history } = readOptions<Filled<SaveOptions>>(`${this.owner}.save`, options, {
      history: field(boolean, true),
    });
    return answers.encode(history);
  }
}

/** Something to iterate over, but not a string: one id would be taken for the list of its letters. */
function checkList<T>(value: Iterable<T>, name: string, wanted: string): Iterable<T> {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) return value;
  throw wrong(name, value, wanted);
}

function readRecommendOptions(owner: string, given: RecommendOptions | undefined) {
  const itemIds = (value: unknown, name: string) => checkList(value as Iterable<Id>, name, 'a list or set of item ids');
  return readOptions<{ n: number; filterSeen?: boolean; exclude?: Iterable<Id>; candidates?: Iterable<Id> }>(
    owner,
    given,
    {
      n: field(integer({ min: 0 }), 10),
      filterSeen: optional(boolean),
      exclude: optional(itemIds),
      candidates: optional(itemIds),
    },
  );
}

function readSimilarOptions(owner: string, given: SimilarOptions | undefined): Readonly<Filled<SimilarOptions>> {
  return readOptions<Filled<SimilarOptions>>(owner, given, {
    n: field(integer({ min: 0 }), 10),
    measure: field(oneOf('cosine', 'dot'), 'cosine'),
  });
}
