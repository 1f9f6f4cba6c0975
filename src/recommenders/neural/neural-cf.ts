// Neural collaborative filtering as a recommender.

import { TaskScheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { NeuralCFModel } from '../../models/neural-cf';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import type { SavedModel } from '../../serving/saved-model';
import type { History } from '../../training/fit';
import { drawStart } from '../draw-start';
import type { FilledFitOptions } from '../fit-options';
import { IdRecommender } from '../id-recommender';
import { restore, savedRule } from '../restore';
import { fitNeural } from './fit-neural';
import type { FittedNeural } from './fitted-neural';
import { NeuralState } from './neural-answers';
import { type FilledNeuralOptions, type NeuralCFOptions, readNeuralOptions } from './neural-options';
import { NeuralScorer } from './neural-scorer';
import { plainTablesOf } from './neural-tables';
import { decodeNeural, encodeNeural } from './saved-neural';

/**
 * Neural collaborative filtering for what users have: GMF, MLP, or both fused, NeuMF.
 *
 * score(u, i) = h . [p_u (.) q_i, layers([p'_u, q'_i])] + b, each layer f(x W_l + b_l); GMF and MLP have one of the two
 * halves. prediction = sigmoid(score) under logistic loss, else the score. Values of interactions are not looked at.
 *
 * Objective: the mean over interactions of the loss over it and its drawn negatives, + 1/2 lambda |e|^2 for each embedding
 * that a candidate reads, + 1/2 lambda_dense |W_l|^2. Shapes: p, q rows x rank; p', q' rows x embeddingDim.
 * An id that training never saw is predicted by the share of interactions among the candidates. Cost: fit O(epochs x
 * interactions x (1 + negatives) x weights), recommend O(items x weights). foldIn and explain: UnsupportedError.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see He, Liao, Zhang, Nie, Hu, Chua, "Neural Collaborative Filtering" (WWW 2017), equations 7 to 12
 * @example
 * ```ts
 * import { NeuralCF, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 60, items: 200, ratings: 900 });
 * const model = new NeuralCF({ rank: 8, embeddingDim: 8, hidden: [8], epochs: 3, overparam: { kind: 'dense' } });
 * await model.fit(data);
 * console.log(model.recommend(data.users.idOf(0), { n: 3 }).length); // 3
 * ```
 */
export class NeuralCF extends IdRecommender<NeuralState> {
  readonly name = 'neural-cf';
  readonly scores = 'order';
  readonly options: FilledNeuralOptions;
  private readonly rule: Optimizer;

  constructor(options?: NeuralCFOptions) {
    super('NeuralCF');
    const read = readNeuralOptions(options);
    this.options = read.options;
    this.rule = read.rule;
  }

  fresh(): NeuralCF {
    return new (this.constructor as typeof NeuralCF)({ ...this.options, optimizer: this.rule });
  }

  /** The trained model, by index. After a load it is plain. */
  get model(): NeuralCFModel {
    return this.need('model').fitted.model;
  }

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { isFitted: isServing } = this;
    const scheduler = new TaskScheduler(fitOptions.signal);
    const [users, items] = [data.users.size, data.items.size];
    const model = new NeuralCFModel({ ...this.options, users, items, initScale: 0, precision: 'float32' });
    await drawStart([...model.sides.users, ...model.sides.items], this.options, scheduler);
    const install = (fitted: FittedNeural) => this.serve(fitted);
    return fitNeural({
      data,
      options: this.options,
      rule: this.rule,
      fitOptions,
      model,
      scheduler,
      install,
      isServing,
    });
  }

  /** A plain recommender with equal scores: the products multiplied out. */
  collapse(): NeuralCF {
    const { fitted } = this.need('collapse');
    const { users, items } = fitted.model;
    const options = { ...this.options, overparam: false } as const;
    const model = new NeuralCFModel({ ...options, users, items, initScale: 0, precision: 'float32' });
    for (const [at, parameter] of fitted.model.parameters.entries()) model.parameters[at]!.assign(parameter.collapse());
    const plain = new NeuralCF({ ...options, optimizer: this.rule });
    plain.serve({ ...fitted, model });
    return plain;
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): NeuralCF {
    return restore(bytes, 'neural-cf', NeuralCF.of);
  }

  /** A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): NeuralCF {
    const options = saved.options as FilledNeuralOptions;
    const optimizer: Optimizer | OptimizerConfig = savedRule(options.optimizer);
    const recommender = new NeuralCF({ ...options, optimizer });
    const model = decodeNeural(saved, recommender.options);
    const { users, items, seen } = saved;
    const scorer = NeuralScorer.now(plainTablesOf(model), recommender.options.activation);
    recommender.serve({ model, users, items, seen, scorer });
    return recommender;
  }

  protected encode({ fitted }: NeuralState, history: boolean): Uint8Array<ArrayBuffer> {
    return encodeNeural(this.options, fitted, history);
  }

  private serve(fitted: FittedNeural): void {
    this.install(new NeuralState(fitted, this.options));
  }
}
