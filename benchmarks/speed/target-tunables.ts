// The contestants of the target section and the ranges in which each is tuned: learning rates, penalties, and for opmf
// its start and decay. Ranges are a factor around the library's defaults, the same factors for everybody.

import {
  constant,
  cosine,
  DivergenceError,
  evaluateRatings,
  type Interactions,
  linear,
  MF,
  type MFOptions,
  OverparamMF,
} from 'opmf';
import type { Stream } from '../../src/core/random';
import type { Bench } from './bench';
import { timed } from './interleave';
import type { LibmfPackage } from './libmf';
import { around, type Searched } from './target-search';

const RANK = 32;
/** How far trials go from the defaults, up and down. */
const RATE_FACTOR = 5;
const PENALTY_FACTOR = 5;
const START_FACTOR = 5;

export interface Tunable<S> extends Searched<S> {
  readonly name: string;
  /** Rows of the result: the seconds of a call of fit, by what the row is called. */
  readonly timed: Readonly<Record<string, (settings: S, epochs: number) => number | Promise<number>>>;
}

/** opmf, tuned; `defaults`: only the number of epochs is sought. */
export function opmfTunable(
  kind: 'MF' | 'OverparamMF',
  defaults: boolean,
  { args }: Bench,
  train: Interactions,
  test: Interactions,
): Tunable<MFOptions> {
  const Recommender = { MF, OverparamMF }[kind];
  const name = `${kind}${defaults ? ', defaults' : ''}`;
  const make = (settings: MFOptions, epochs: number, threads: number) => {
    const kernels = args.kernels === undefined ? {} : { kernels: args.kernels };
    // Not clipped: LIBMF does not clip either.
    return new Recommender({ rank: RANK, clip: false, ...kernels, ...settings, epochs, threads });
  };
  const seconds = (threads: number) => async (settings: MFOptions, epochs: number) =>
    (await timed(() => make(settings, epochs, threads).fit(train))).seconds;
  const several = args.threads.filter((threads) => threads > 1);
  return {
    name,
    start: {},
    ...(!defaults && { draw: (stream) => draw(stream, kind) }),
    rmse: async (settings, epochs) => {
      const recommender = make(settings, epochs, 1);
      try {
        await recommender.fit(train);
      } catch (error) {
        if (error instanceof DivergenceError) return Infinity;
        throw error;
      }
      return (await evaluateRatings(recommender, test)).rmse;
    },
    timed: {
      [name]: seconds(1),
      ...Object.fromEntries(several.map((threads) => [`${name}, ${threads} threads`, seconds(threads)])),
    },
  };
}

function draw(stream: Stream, kind: 'MF' | 'OverparamMF'): MFOptions {
  const { initScale, regularization } = new { MF, OverparamMF }[kind]().options;
  const start = kind === 'MF' ? { embedding: 0.16, bias: 0.0433 } : { embedding: 0.024, map: 0.02, bias: 0.0433 };
  const factor = around(stream, 1, RATE_FACTOR);
  const rates = Object.fromEntries(Object.entries(start).map(([group, rate]) => [group, rate * factor]));
  rates.bias = around(stream, start.bias, RATE_FACTOR);
  const decay = [constant, linear, cosine][stream.below(3)]!;
  return {
    optimizer: { name: 'sgd', learningRate: decay(rates) },
    initScale: around(stream, initScale, START_FACTOR),
    regularization: {
      embedding: around(stream, regularization.embedding, PENALTY_FACTOR),
      bias: around(stream, regularization.bias, PENALTY_FACTOR),
      scaling: 'frequency',
    },
  };
}

interface LibmfSettings {
  readonly learningRate: number;
  readonly lambda: number;
}

/** The defaults of the package. */
const LIBMF: LibmfSettings = { learningRate: 0.1, lambda: 0.1 };

export function libmfTunable(
  libmf: LibmfPackage,
  defaults: boolean,
  train: Interactions,
  test: Interactions,
): Tunable<LibmfSettings> {
  const [packed, packedTest] = [libmf.pack(train), libmf.pack(test)];
  const name = `libmf${defaults ? ', defaults' : ''}`;
  const options = (settings: LibmfSettings, iterations: number) => ({ rank: RANK, iterations, ...settings });
  return {
    name,
    start: LIBMF,
    ...(!defaults && {
      draw: (stream) => ({
        learningRate: around(stream, LIBMF.learningRate, RATE_FACTOR),
        lambda: around(stream, LIBMF.lambda, PENALTY_FACTOR),
      }),
    }),
    rmse: (settings, epochs) => {
      const { rmse } = libmf.fit(options(settings, epochs), libmf.copy(packed), libmf.copy(packedTest));
      return Number.isNaN(rmse) ? Infinity : rmse;
    },
    timed: {
      [name]: (settings, epochs) => libmf.fit(options(settings, epochs), libmf.copy(packed)).seconds,
      ...(!defaults && {
        [`${name}, array of objects`]: (settings: LibmfSettings, epochs: number) =>
          libmf.fit(options(settings, epochs), libmf.unpack(train)).seconds,
      }),
    },
  };
}
