// From interactions to tables trained by alternating least squares: the wiring of data, solver and validation.

import { DataError } from '../core/errors';
import { inTurns, type Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import { MFModel } from '../models/mf';
import type { Real } from '../optimizers/factor';
import { AlsSolver } from '../training/als/als-solver';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import { STATELESS } from '../training/rule-state';
import { timed, train } from '../training/train';
import { type FilledAlsOptions, forData, ruleOf } from './als-options';
import { checkpointPlan } from './checkpoints';
import { drawStart } from './draw-start';
import { meanWeight } from './fit-factorization';
import type { FilledFitOptions } from './fit-options';
import { type Fitted, finish, serve } from './fitted';
import { countRows, Seen } from './seen';
import { chooseUnits, toTargets, type Units } from './units';
import { Validation } from './validation';

/** What a fit of ALS is made of. */
export interface AlsTask {
  readonly data: Interactions;
  readonly options: FilledAlsOptions;
  readonly fitOptions: FilledFitOptions;
  /** Called once with the trained state; after an abort too, when a whole epoch was done. */
  readonly install: (fitted: Fitted) => void;
}

/** Scores of implicit feedback: 1 for what a user has, 0 for the rest, and not bounded by either. */
const SCORES: Units = {
  link: 'identity',
  shift: 0,
  scale: 1,
  minimum: -Number.MAX_VALUE,
  maximum: Number.MAX_VALUE,
  start: 0,
};
const RATINGS = { loss: 'squared', link: 'identity', standardize: true, negatives: false } as const;

/** Trains tables and installs the result. */
export async function fitAls({ data, options, fitOptions, install }: AlsTask): Promise<History> {
  const { rank, epochs, seed, biases, initScale, feedback } = options;
  const { validation, metrics, onEpoch, earlyStopping, signal } = fitOptions;
  const turns = new Breather(signal);
  const isExplicit = feedback === 'explicit';
  const units = isExplicit ? await chooseUnits(data, RATINGS, turns) : SCORES;
  const counts = await countRows(data, turns);
  const model = new MFModel({ users: data.users.size, items: data.items.size, rank, biases, seed, initScale: 0 });
  await drawStart(model, { seed, initScale: initScale / Math.sqrt(rank) }, turns);
  const solver = new AlsSolver(
    tablesOf(model),
    {
      users: data.userIndex,
      items: data.itemIndex,
      targets: isExplicit ? await toTargets(data.values, units, turns) : null,
      weights: await weightsOf(data, options.alpha, turns),
      counts,
    },
    ruleOf(forData(options, counts)),
  );
  const weight = meanWeight(data);
  const kept = await checkpointPlan(
    {
      recommender: 'als',
      options,
      data,
      parameters: model.parameters,
      slots: [],
      // All that it carries are the tables.
      resume: () => undefined,
      readState: async () => STATELESS,
    },
    fitOptions,
    turns,
  );
  let wholeEpochs = kept.resume?.epochs.length ?? 0;
  const { users, items } = data;
  const known = { users, items, counts, history: () => Seen.of(data, counts, turns) };
  const validated = validation && (await Validation.of(validation, metrics, known, options, turns));
  const complete = async (breather: Turns) =>
    install(await finish(model, data, await Seen.of(data, counts, breather), units, breather));
  try {
    const history = await train(model, timed(solver), {
      ...kept,
      epochs,
      ratings: data.size,
      rmseOf: isExplicit ? (mean) => units.scale * Math.sqrt((2 * mean) / weight) : undefined,
      validate:
        validated && (async () => validated.measure(await serve(model, data, validated.seen, units, turns), turns)),
      earlyStopping,
      onEpoch: (record) => {
        wholeEpochs++;
        return onEpoch?.(record);
      },
      signal,
      turns,
    });
    await complete(turns);
    return history;
  } catch (error) {
    // An abort leaves the last whole epoch in the tables, which are as good as those of fewer epochs.
    if (signal?.aborted && wholeEpochs > 0) await complete(new Breather(undefined));
    throw error;
  }
}

function tablesOf({ userEmbedding, itemEmbedding, userBias, itemBias }: MFModel) {
  return {
    userEmbedding: userEmbedding.values,
    itemEmbedding: itemEmbedding.values,
    userBias: userBias?.values ?? null,
    itemBias: itemBias?.values ?? null,
  };
}

/** What the squared error of each interaction is multiplied by: its weight (1 + alpha value); null where all are 1. */
async function weightsOf({ values, weights, size }: Interactions, alpha: number, turns: Turns): Promise<Real | null> {
  if (alpha === 0) return weights ?? null;
  const confidences = new Float32Array(size);
  let bad = -1;
  await inTurns(size, turns, (from, to) => {
    for (let k = from; k < to; k++) {
      const confidence = Math.fround((weights?.[k] ?? 1) * (1 + alpha * values[k]!));
      if (!(confidence >= 0 && confidence < Infinity)) bad = k;
      confidences[k] = confidence;
    }
  });
  if (bad >= 0) {
    throw new DataError(
      `interaction ${bad + 1} (counting from 1) has value ${values[bad]}, which at alpha ${alpha} gives it a weight that is ` +
        'negative or infinite; want values of at least 0, or alpha: 0, which does not look at them',
    );
  }
  return confidences;
}
