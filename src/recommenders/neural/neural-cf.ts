// Neural collaborative filtering as a recommender.

import type { Bytes } from '../../core/bytes';
import { Stream } from '../../core/random';
import { type Scheduler, TaskScheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import type { Id } from '../../data/vocabulary';
import type { Tensor } from '../../io/files/safetensors';
import { backendOf } from '../../kernels/backend';
import { MOST } from '../../kernels/kernels';
import { commonMultiply } from '../../kernels/matrix';
import { drawStart } from '../../models/factorization';
import type { ActivationName } from '../../models/forward';
import { NeuralCFModel } from '../../models/neural-cf';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import { type Parameter, Penalty } from '../../parameters/parameter';
import { type Similar, similarItems, similarUsers } from '../../serving/capabilities';
import { countRows, type InteractionHistory } from '../../serving/interaction-history';
import { NeuralScorer, type NeuralTable, type NeuralTables } from '../../serving/neural-scorer';
import { decodeNeural, type FittedNeural, NeuralState } from '../../serving/neural-state';
import type { Recommendation, SimilarOptions } from '../../serving/questions';
import { encodeModel, restore, type SavedModel, savedRule } from '../../serving/saved-model';
import { type History, largestOf } from '../../training/fit';
import { lossNamed } from '../../training/losses';
import { passOver } from '../../training/negatives';
import { WHOLE } from '../../training/per-rating/block-schedule';
import { RatingBatcher } from '../../training/rating-batches';
import { type StepTask, startTraining } from '../../training/start-training';
import { teamFor } from '../../training/team';
import { collapse, fitInteractions } from '../fit-interactions';
import type { FilledFitOptions } from '../fit-options';
import { IdRecommender } from '../id-recommender';
import type { Collapses } from '../recommender';
import { inCopies, weigh } from '../targets';
import type { OptionsInForce } from '../training-options';
import { type FilledNeuralOptions, type NeuralCFOptions, readNeuralOptions } from './neural-options';

/** A trained state with its model: after a fit the one that was trained, after a load a plain one. */
interface TrainedNeural extends FittedNeural {
  readonly model: NeuralCFModel;
}

/**
 * Neural collaborative filtering for what users have: GMF, MLP, or both fused, NeuMF.
 *
 * score(u, i) = h . [p_u (.) q_i, layers([p'_u, q'_i])] + b, each layer f(x W_l + b_l); GMF and MLP have one of the two
 * halves. prediction = sigmoid(score) under logistic loss, else the score. Values of interactions are not looked at.
 *
 * Objective: the mean over interactions of the loss over it and its drawn negatives, + 1/2 lambda |e|^2 for each embedding
 * that a candidate reads, + 1/2 lambda_dense |W_l|^2. Shapes: p, q rows x rank; p', q' rows x embeddingDim.
 * An id that training never saw is predicted by the share of interactions among the candidates. Cost: fit O(epochs x
 * interactions x (1 + negatives) x weights), recommend O(items x weights).
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
export class NeuralCF extends IdRecommender implements Similar, Collapses<NeuralCF> {
  /** @internal */
  declare state: NeuralState<TrainedNeural> | undefined;
  readonly name = 'neural-cf';
  readonly scores = 'order';
  readonly options: OptionsInForce<NeuralCFOptions>;
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
    const install = (fitted: TrainedNeural) => this.serve(fitted);
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

  /** The items most like one, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** The users most like one, best first. @see Similar */
  similarUsers(userId: Id, options?: SimilarOptions): { readonly userId: Id; readonly score: number }[] {
    return similarUsers(this.ask('similarUsers'), userId, options);
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

  /** @internal A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): NeuralCF {
    const options = saved.options as FilledNeuralOptions;
    const optimizer: Optimizer | OptimizerConfig = savedRule(options.optimizer);
    const recommender = new NeuralCF({ ...options, optimizer });
    const tables = decodeNeural(saved, recommender.options);
    const { users, items, seen } = saved;
    const form = { ...recommender.options, users: users.size, items: items.size, initScale: 0, overparam: false };
    const model = new NeuralCFModel({ ...form, precision: 'float32' });
    for (const parameter of model.parameters) parameter.assign(tables.get(parameter.name)!.values);
    const { activation, kernels } = recommender.options;
    const plain = new Map(model.parameters.map(plainTable));
    const scorer = NeuralScorer.now(plain, activation, commonMultiply(kernels));
    recommender.serve({ model, users, items, seen, scorer });
    return recommender;
  }

  protected encode({ fitted }: NeuralState<TrainedNeural>, history: boolean): Bytes {
    const { users, items, seen, model } = fitted;
    const tensors = model.parameters.map((parameter): [string, Tensor] => {
      const { name, rows, dim } = parameter;
      return [name, { dtype: 'F32', shape: [rows, dim], data: parameter.collapse() as Float32Array }];
    });
    return encodeModel({ recommender: this.name, options: this.options, users, items, seen, tensors }, history);
  }

  private serve(fitted: TrainedNeural): void {
    this.install(new NeuralState(fitted, this.options, backendOf(this.options.kernels)));
  }
}

// From interactions to a trained neural model: the wiring of negatives, loss, penalties and trainer.

/** What a fit is made of. */
interface NeuralTask {
  readonly data: Interactions;
  readonly options: FilledNeuralOptions;
  readonly rule: Optimizer;
  readonly fitOptions: FilledFitOptions;
  readonly model: NeuralCFModel;
  readonly scheduler: TaskScheduler;
  readonly install: (fitted: TrainedNeural) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Trains the model and installs the result. */
async function fitNeural(given: NeuralTask): Promise<History> {
  const { options, rule, fitOptions, model, scheduler, install, isServing } = given;
  const { data } = await weigh(given.data, scheduler);
  const counts = await countRows(data, scheduler);
  const { epochs, batchSize, shuffle, kernels, threads, negatives, seed, loss, activation } = options;
  const one = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    // What users have counts as 1, whatever its value: batches of candidates say so.
    targets: data.values,
    weights: data.weights ?? null,
    counts,
  };
  const { data: passed, users: usersPassedOver } = await passOver(one, scheduler);
  const ratings = await inCopies(passed, batchSize, scheduler);
  const stream = Stream.of(seed).fork('order');
  const task: StepTask = {
    model,
    loss: lossNamed(loss, data.items.size),
    optimizer: rule,
    penalties: penaltiesOf(model, options),
    data: ratings,
    options: {
      epochs,
      batchSize,
      shuffle,
      stream,
      kernels,
      threads,
      team: teamFor,
      negatives,
      // All items in every batch: layers and their bias would follow the tile at hand, where negatives are of all items.
      batches: (data, order) => new RatingBatcher(data, model, { ...order, blocks: WHOLE }),
    },
  };
  await scheduler.yieldNow();
  const stateOf = async (seen: InteractionHistory, scheduler: Scheduler) => {
    const tables = new Map<string, NeuralTable>();
    for (const parameter of model.parameters) {
      const [name, table] = plainTable(parameter);
      tables.set(name, { ...table, values: await collapse(parameter, scheduler) });
    }
    const scorer = await NeuralScorer.of(tables, activation, commonMultiply(kernels), scheduler);
    return { model, tables, users: data.users, items: data.items, seen, scorer };
  };
  return fitInteractions({
    name: 'neural-cf',
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: (scheduler) => startTraining(task, scheduler),
    slots: rule.slots,
    usersPassedOver,
    snapshotForEvaluation: async (seen, scheduler) => {
      const fitted = await stateOf(seen, scheduler);
      const answers = new NeuralState(fitted, options, backendOf(kernels));
      return {
        predictor: (pairs, out) => answers.predictor(pairs, out),
        best: (users, request) => answers.best(users, request),
        scoreCost: fitted.scorer.cost,
      };
    },
    async finish(seen, scheduler, unservable) {
      const fitted = await stateOf(seen, scheduler);
      const name = await tooLarge(fitted.tables, activation, scheduler);
      if (name !== undefined) throw unservable(name);
      return fitted;
    },
    targets: null,
    install,
    isServing,
    scheduler,
  });
}

function penaltiesOf(model: NeuralCFModel, { regularization }: FilledNeuralOptions): Penalty[] {
  const { users, items } = model.sides;
  const embeddings = [...users, ...items];
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    ...embeddings.map((table) => new Penalty(table, regularization.embedding, null)),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}

/** A table that is its own memory, with its name. */
function plainTable({ name, values, rows, dim }: Parameter): [string, NeuralTable] {
  return [name, { values, rows, dim }];
}

/**
 * The name of a table with which a score, or the length of a vector, might overflow; undefined where none can, whoever and
 * whatever is scored: the largest sizes go through the sums and layers in place of numbers.
 */
async function tooLarge(
  tables: NeuralTables,
  activation: ActivationName,
  scheduler: Scheduler,
): Promise<string | undefined> {
  const most = new Map<string, number>();
  for (const [name, { values }] of tables) most.set(name, await largestOf(values, scheduler));
  const sizeOf = (name: string) => most.get(name) ?? 0;
  for (const [name, { dim }] of tables) {
    const isVector = /User$|Item$/.test(name);
    if (isVector && !(dim * sizeOf(name) ** 2 <= MOST)) return name;
  }
  let scores =
    sizeOf('outputBias') + (tables.get('gmfUser')?.dim ?? 0) * sizeOf('output') * sizeOf('gmfUser') * sizeOf('gmfItem');
  let size = Math.max(sizeOf('mlpUser'), sizeOf('mlpItem'));
  for (let l = 1; tables.has(`mlp${l}`); l++) {
    const { rows, dim } = tables.get(`mlp${l}`)!;
    const sum = rows * sizeOf(`mlp${l}`) * size + sizeOf(`mlp${l}Bias`);
    if (!(sum <= MOST)) return `mlp${l}`;
    size = activation === 'relu' ? sum : 1;
    if (!tables.has(`mlp${l + 1}`)) scores += dim * sizeOf('output') * size;
  }
  return scores <= MOST ? undefined : 'output';
}
