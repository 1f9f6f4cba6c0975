// The opponents of opmf in the updates section, each with the way in which its rate is told from its call.

import type { Interactions } from 'opmf';
import type { DataName } from './arguments';
import type { Contestant } from './interleave';
import type { LibmfPackage } from './libmf';
import { type PlainData, type PlainRule, plainLoop } from './plain-loop';
import { TENSOR_FLOW_BATCH, type TensorFlow } from './tensor-flow';

/** One turn: rates in million updates a second, and the seconds of a whole fit where the contestant has one. */
export interface Sample {
  readonly rates: readonly number[];
  readonly fitSeconds: number | null;
}

const PLAIN_RULES: readonly PlainRule[] = ['sgd', 'adagrad', 'adam'];
/** The plain loop takes the ratings in random order, so that a part of an epoch runs at the rate of the whole. */
const PLAIN_LIMIT = 4_000_000;

export function plainContestants(data: Interactions, order: PlainData, rank: number): Contestant<Sample>[] {
  const limit = Math.min(data.size, PLAIN_LIMIT);
  return PLAIN_RULES.map((rule) => ({
    name: `plain loop ${rule}`,
    run: () => {
      const loop = plainLoop(rule, data.users.size, data.items.size, rank);
      const started = performance.now();
      const rmse = loop.epoch(order, limit);
      const seconds = (performance.now() - started) / 1000;
      // A loop whose numbers are no longer numbers runs at another speed.
      if (!Number.isFinite(rmse)) throw new Error('the loop diverged');
      return { rates: [limit / seconds / 1e6], fitSeconds: null };
    },
  }));
}

/** Iterations of the two calls whose difference counts. */
const CALLS = { 'ml-1m': [2, 10], 'wide-20m': [1, 3] } as const;

export function libmfContestant(
  libmf: LibmfPackage,
  packed: ReturnType<LibmfPackage['pack']>,
  { rank, epochs, size, name }: { rank: number; epochs: number; size: number; name: DataName },
): Contestant<Sample> {
  const [few, many] = CALLS[name];
  return {
    name: 'libmf',
    run: () => {
      const short = libmf.fit({ rank, iterations: few }, libmf.copy(packed)).seconds;
      const long = libmf.fit({ rank, iterations: many }, libmf.copy(packed)).seconds;
      const iteration = (long - short) / (many - few);
      return { rates: [size / iteration / 1e6], fitSeconds: short + (epochs - few) * iteration };
    },
  };
}

export function tensorFlowContestant(tensorFlow: TensorFlow, data: Interactions, rank: number): Contestant<Sample> {
  const run = async () => {
    return { rates: [TENSOR_FLOW_BATCH / (await tensorFlow.batch(data, rank)) / 1e6], fitSeconds: null };
  };
  return { name: 'TensorFlow.js', run };
}
