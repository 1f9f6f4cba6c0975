// A recommender over the tables of a factorization, however they were trained: what a caller sees of the tables, and how
// tables alone become a recommender.

import type { Bytes } from '../core/bytes';
import { field, oneOf, readOptions } from '../core/options';
import { now, type Scheduler, TaskScheduler, untilAborted } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Id } from '../data/vocabulary';
import { backendOf } from '../kernels/backend';
import { type Factorization, MFModel } from '../models/factorization';
import type { Explains, FoldsIn, Similar } from '../serving/capabilities';
import { explain, foldInItem, foldInUser, similarItems, similarUsers } from '../serving/capabilities';
import { FactorizationState } from '../serving/factorization-state';
import { type FittedFactorization, ServedTables } from '../serving/factorization-tables';
import type { FoldIn } from '../serving/fold-in/fold-in';
import type { Answered, FoldedItem, FoldedUser } from '../serving/predictor';
import type { HistoryRow, Recommendation, SimilarOptions } from '../serving/questions';
import { encodeFitted } from '../serving/saved-model';
import { listsOnThreads } from '../serving/threaded-lists';
import type { ItemRequest } from '../serving/trained-state';
import type { EpochRecord, History } from '../training/fit';
import { evaluable } from './fit-interactions';
import { type FilledFitOptions, refuseCheckpoints } from './fit-options';
import { IdRecommender } from './id-recommender';
import { type FittedTables, partialFit } from './partial-fit';
import type { FitOptions, PartialFits } from './recommender';
import { Validation } from './validation';
import { vectorsOf } from './vector-table';

/** The common part of MF, OverparamMF and ALS. */
export abstract class TableRecommender extends IdRecommender implements Similar, FoldsIn, Explains, PartialFits {
  /** @internal */
  declare state: FactorizationState<FittedFactorization> | undefined;
  abstract override readonly options: { readonly clip: boolean; readonly kernels: 'auto' | 'wasm' | 'js' };
  /** @internal What the caller asked for, where data have decided some of the options: files hold it beside them. */
  get askedOptions(): object | undefined {
    return undefined;
  }
  /** What the rows of a state are by themselves, the other side frozen. */
  protected abstract problemsOf(state: FittedTables): FoldIn;

  /** The trained model, by index, on the rating scale (for a sigmoid link: scores). After a load it is plain. */
  get model(): Factorization {
    return this.need('model').fitted.model;
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
   * The user and item vectors, for an index of approximate nearest neighbours.
   *
   * Items are (q_i, b_i), users (p_u, 1): their inner product is the score less mu + b_u, which is the same for all items
   * of a user. For an index that knows cosines or Euclidean distances alone, `index: 'cosine'` adds the number
   * sqrt(M^2 - |(q_i, b_i)|^2) to items, M the longest of them, and 0 to users: the cosine then orders items as the inner
   * product does. Rows that training never saw are left out. Shapes: dim = rank, + 1 with biases, + 1 for cosines.
   * Cost: O((users + items) rank).
   *
   * @throws NotFittedError; OptionError
   * @see Bachrach et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
   * Spaces" (RecSys 2014), equation 5
   */
  exportVectors(options?: {
    /** What the index compares by. @defaultValue 'inner-product' */
    readonly index?: ('inner-product' | 'cosine') | undefined;
  }): Readonly<
    Record<
      'users' | 'items',
      {
        /** In the order of the rows. */ readonly ids: readonly Id[] /** Numbers a vector. */;
        readonly dim: number /** Row-major, ids.length x dim. */;
        readonly values: Float32Array;
      }
    >
  > {
    const { fitted } = this.need('exportVectors');
    const { index } = readOptions(`${this.owner}.exportVectors`, options, {
      index: field(oneOf('inner-product', 'cosine'), 'inner-product'),
    });
    return vectorsOf(fitted, index);
  }

  /** @internal */
  protected override onThreads(
    state: FactorizationState,
    request: ItemRequest,
    users: Iterable<Id>,
    threads: number | 'auto',
    scheduler: Scheduler,
    answered: Answered,
  ) {
    return listsOnThreads(state, request, users, threads, scheduler, answered);
  }

  /** The items most like one, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** The users most like one, best first. @see Similar */
  similarUsers(userId: Id, options?: SimilarOptions): { readonly userId: Id; readonly score: number }[] {
    return similarUsers(this.ask('similarUsers'), userId, options);
  }

  /** A user that training never saw, by its history. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  /** An item that training never saw, by who has rated it. @see FoldsIn */
  foldInItem(history: Iterable<HistoryRow<'userId'>>): FoldedItem {
    return foldInItem(this.ask('foldInItem'), history);
  }

  /** What each item of a user's history adds to the score of an item, the most first. @see Explains */
  explain(
    userId: Id,
    itemId: Id,
    options?: { readonly n?: number | undefined },
  ): { readonly itemId: Id; readonly contribution: number }[] {
    return explain(this.ask('explain'), userId, itemId, options);
  }

  /**
   * Goes on training with new interactions, of known or new users and items; where nothing has been fitted when its turn
   * comes, it is `fit`. The rows of their users and items, where a quarter of what they have has come since they were last
   * fitted (in this call or in earlier ones, also before a `save`), are fitted to all of their history, the other rows as
   * they are; those keep their bytes, mu stays, and the model is plain afterwards, as after a load. Weights are
   * relative to the mean of those of the fit, or to their own where it had none. Losses that compare items (bpr, warp,
   * softmax) move users alone. One epoch, no learning rate; an abort or an error leaves the model as it was.
   *
   * Cost: O(history of those rows x rank^2 + rows x rank^3), and a copy of the tables; once in some thousand changed users
   * a pass over the history. ALS on implicit feedback: O(all rows x rank^2) beside. It gives way to other tasks. Memory:
   * 8 bytes an interaction, from the first call on.
   * @throws as fit; UnsupportedError for a model saved with `history: false`
   */
  async partialFit(data: Interactions, options?: FitOptions): Promise<History> {
    return this.goOn(data, options, (fitOptions) => this.update(data, fitOptions));
  }

  private async update(data: Interactions, options: FilledFitOptions): Promise<History> {
    const { validation, metrics, relevant, onEpoch, signal, ...kept } = options;
    refuseCheckpoints(`${this.owner}.partialFit`, kept);
    const scheduler = new TaskScheduler(signal);
    const { fitted, loss } = await partialFit(
      this.need('partialFit').fitted,
      data,
      (trained) => this.problemsOf(trained),
      this.options.kernels,
      scheduler,
    );
    const seconds = (now() - scheduler.started) / 1000;
    const { users, items, seen } = fitted;
    const known = { users, items, counts: { users: seen.userCounts, items: seen.itemCounts }, history: () => seen };
    const validated = validation && (await Validation.of(validation, { metrics, relevant }, known, scheduler));
    const record: EpochRecord = {
      epoch: 1,
      trainLoss: loss,
      metrics: (await validated?.measure(evaluable(fitted, this.options), scheduler)) ?? {},
      ...(validated && { cold: validated.cold }),
      learningRate: 0,
      seconds,
      ratingsPerSecond: seconds > 0 ? data.size / seconds : 0,
    };
    await untilAborted(onEpoch?.(record), signal);
    signal?.throwIfAborted();
    this.serve(fitted);
    return { epochs: [record], bestEpoch: 1, stopped: 'epochs', seconds, setupSeconds: 0 };
  }

  protected encode({ fitted }: FactorizationState<FittedFactorization>, history: boolean): Bytes {
    return encodeFitted(this.name, this.options, fitted, history, this.askedOptions);
  }

  /** Takes over a trained state. */
  protected serve(fitted: FittedFactorization): void {
    const { clip, kernels } = this.options;
    this.install(new FactorizationState(fitted, this.name, clip, backendOf(kernels), () => this.problemsOf(fitted)));
  }

  /** Takes over a trained state from tables alone: a file, or a collapsed product. Its model is plain, and has the tables. */
  protected installSaved(state: FittedTables): void {
    let model: MFModel | undefined;
    const { tables, units, seen } = state;
    this.serve({
      ...state,
      served: new ServedTables(tables, units, seen),
      // Made when it is first asked for: what answers needs none.
      get model() {
        model ??= plainModel(state);
        return model;
      },
    });
  }
}

/** A plain model on a trained state's tables themselves: who changes a view of one changes both, as after a fit. */
function plainModel({ tables, seen }: FittedTables): MFModel {
  const { rank, globalMean, userBias } = tables;
  const biases = userBias.length > 0;
  const [users, items] = [seen.userCounts.length, seen.itemCounts.length];
  const model = new MFModel({ users, items, rank, biases, globalMean, initScale: 0 });
  for (const parameter of model.parameters) {
    const table = tables[parameter.name as 'userEmbedding'];
    parameter.move((array) => (array === parameter.values ? (table as typeof array) : array));
  }
  return model;
}
