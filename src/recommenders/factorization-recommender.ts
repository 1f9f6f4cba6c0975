// A matrix factorization as a recommender: what MF and OverparamMF share, which is all but their presets and models.

import { NotFittedError, UnknownIdError, UnsupportedError } from '../core/errors';
import { boolean, type Filled, field, integer, oneOf, optional, readOptions, wrong } from '../core/options';
import { Interactions } from '../interactions/interactions';
import type { Id, Vocabulary } from '../interactions/vocabulary';
import type { Factorization } from '../models/factorization';
import { MFModel } from '../models/mf';
import type { Optimizer } from '../optimizers/optimizer';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import { drawStart } from './draw-start';
import {
  type FactorizationRecommenderOptions,
  type FilledOptions,
  readRecommenderOptions,
} from './factorization-options';
import { fitFactorization } from './fit-factorization';
import { checkInteractions, readFitOptions } from './fit-options';
import type { Fitted } from './fitted';
import type { Preset } from './presets';
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
import { encodeFitted } from './saved-factorization';
import { ServedTables, tablesOf } from './served-tables';
import { Serving } from './serving';

/** The common part of MF and OverparamMF. */
export abstract class FactorizationRecommender implements Recommender {
  abstract readonly name: string;
  readonly options: FilledOptions;
  protected readonly rule: Optimizer;
  private fitted: Fitted | undefined;
  /** Goes with the fitted state, and is there with it. */
  private serving!: Serving;

  protected constructor(
    private readonly owner: string,
    options: FactorizationRecommenderOptions | undefined,
    preset: Preset,
  ) {
    const read = readRecommenderOptions(owner, options, preset);
    this.options = read.options;
    this.rule = read.rule;
  }

  /** A recommender of the same kind and options, not fitted. */
  abstract fresh(): FactorizationRecommender;
  /** Makes the model to be trained, with embeddings of 0: their start is drawn afterwards, giving way to other tasks. */
  protected abstract createModel(users: number, items: number): Factorization;

  get isFitted(): boolean {
    return this.fitted !== undefined;
  }

  /** The trained model, by index, on the rating scale (for a sigmoid link: scores). After a load it is plain. */
  get model(): Factorization {
    return this.need('model').model;
  }
  /** The users, by id and index, in the order of the rows of the user tables. */
  get users(): Vocabulary {
    return this.need('users').users;
  }
  /** The items, by id and index, in the order of the rows of the item tables. */
  get items(): Vocabulary {
    return this.need('items').items;
  }
  /** users x rank, an ndarray view. */
  get userFactors() {
    return this.model.userFactors;
  }
  /** items x rank, an ndarray view. */
  get itemFactors() {
    return this.model.itemFactors;
  }
  /** b_u, by row. */
  get userBiases() {
    return this.model.userBiases;
  }
  /** b_i, by row. */
  get itemBiases() {
    return this.model.itemBiases;
  }
  /** mu. */
  get globalMean(): number {
    return this.model.globalMean;
  }

  /**
   * Trains on the ratings, from the start. Other tasks of the process go on meanwhile.
   * Cost: O(epochs x ratings x rank).
   * @throws DataError without ratings; OptionError; DivergenceError; the signal's reason after an abort
   */
  async fit(data: Interactions, options?: FitOptions): Promise<History> {
    checkInteractions(data, 'data');
    const { rule, owner } = this;
    const fitOptions = readFitOptions(`${owner}.fit`, options);
    const breather = new Breather(fitOptions.signal);
    const model = this.createModel(data.users.size, data.items.size);
    await drawStart(model, this.options, breather);
    const install = (fitted: Fitted) => this.install(fitted);
    return fitFactorization({ data, options: this.options, rule, fitOptions, model, breather, install });
  }

  private install(fitted: Fitted): void {
    this.fitted = fitted;
    this.serving = new Serving(fitted.tables, fitted.served, fitted.seen, this.options.kernels);
  }

  /** Takes over a trained state from tables alone: a file, or a collapsed product. Its model is plain. */
  protected installSaved(state: Omit<Fitted, 'model' | 'served'>): void {
    const { units, seen } = state;
    const model = plainModel(state);
    // The tables that answer are those of the model: who changes a view of one changes both, as after a fit.
    const tables = tablesOf(model);
    this.install({ ...state, model, tables, served: new ServedTables(tables, units, seen) });
  }

  /** The trained state. @throws NotFittedError before there is one */
  protected need(call: string): Fitted {
    if (this.fitted === undefined) throw new NotFittedError(this.owner, call);
    return this.fitted;
  }

  knows(userId: Id, itemId: Id): boolean {
    const { users, items, served } = this.need('knows');
    return served.hasUser(users.indexOf(userId)) && served.hasItem(items.indexOf(itemId));
  }

  /**
   * The predicted rating. For ids that training never saw it is the baseline: the mean and the biases that are known.
   * Clipped to the range of the training ratings unless `clip: false`. Cost: O(rank).
   */
  predict(userId: Id, itemId: Id): number {
    const { users, items, served } = this.need('predict');
    return served.predict(users.indexOf(userId), items.indexOf(itemId), this.options.clip);
  }

  /** The predicted ratings of many pairs, in order. Cost: O(rank) a pair. */
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array {
    const { users, items, served } = this.need('predictMany');
    if (pairs instanceof Interactions) return served.predictAll(users, items, pairs, this.options.clip);
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
    const { users, items, seen, served } = this.need('recommendMany');
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
    const lists = this.serving.bestItems.of(rows, request).map((ranked, at): RecommendationList => {
      const isKnown = served.hasUser(rows[at]!);
      const list = ranked.map(({ index, score }): Recommendation => {
        return { itemId: items.idOf(index), score: isKnown ? served.toRating(score) : score };
      });
      return Object.assign(list, { basis: isKnown ? ('model' as const) : ('popularity' as const) });
    });
    return new Map(ids.map((id, at) => [id, lists[at]!]));
  }

  /** The items most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    const { items, served } = this.need('similarItems');
    const row = items.indexOf(itemId);
    if (!served.hasItem(row)) throw new UnknownIdError('item', itemId, `${this.owner}.similarItems`);
    const found = this.serving.similarItems(row, readSimilarOptions(`${this.owner}.similarItems`, options));
    return found.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
  }

  /** The users most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarUsers(userId: Id, options?: SimilarOptions): SimilarUser[] {
    const { users, served } = this.need('similarUsers');
    const row = users.indexOf(userId);
    if (!served.hasUser(row)) throw new UnknownIdError('user', userId, `${this.owner}.similarUsers`);
    const found = this.serving.similarUsers(row, readSimilarOptions(`${this.owner}.similarUsers`, options));
    return found.map(({ index, score }) => ({ userId: users.idOf(index), score }));
  }

  /** The collapsed tables, the ids and the options as one safetensors file. `loadRecommender` reads it. */
  save(options?: SaveOptions): Uint8Array {
    const fitted = this.need('save');
    const { history } = readOptions<Filled<SaveOptions>>(`${this.owner}.save`, options, {
      history: field(boolean, true),
    });
    return encodeFitted(this.name, this.options, fitted, history);
  }
}

/** A plain model of a trained state's tables. */
function plainModel({ tables, seen }: Pick<Fitted, 'tables' | 'seen'>): MFModel {
  const { rank, globalMean, userBias } = tables;
  const biases = userBias.length > 0;
  const [users, items] = [seen.userCounts.length, seen.itemCounts.length];
  const model = new MFModel({ users, items, rank, biases, globalMean, initScale: 0 });
  for (const parameter of model.parameters) parameter.assign(tables[parameter.name as 'userEmbedding']);
  return model;
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
