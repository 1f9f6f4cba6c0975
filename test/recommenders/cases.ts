// The recommenders that the tests run over: MF, and OverparamMF with every kind of product.

import type { Overparam } from '../../src/parameters/overparam';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import type { Options } from '../contract/odd-ratings';

const overparams: Readonly<Record<string, Overparam>> = {
  'scalar-shared-3': { kind: 'scalar', scope: 'shared', depth: 3, init: 1.2 },
  'diagonal-row-2x2': { kind: 'diagonal', scope: 'row', width: 2 },
  'diagonal-shared-2': { kind: 'diagonal', scope: 'shared' },
  'dense-2x5': { kind: 'dense', width: 5 },
  'scalar-row-2 with biases': { kind: 'scalar', biases: true },
  'by name': { userEmbedding: { kind: 'dense' }, itemBias: { kind: 'scalar', depth: 3 } },
  none: false,
};

/** A recommender of one kind, and how its class loads it. */
export interface Case {
  readonly name: string;
  make(options?: Options): MF | OverparamMF;
  load(bytes: Uint8Array): MF | OverparamMF;
}

/** Every case. The dense product of width 5 takes ranks up to 5. */
export const CASES: readonly Case[] = [
  { name: 'MF', make: (options) => new MF(options), load: MF.load },
  { name: 'OverparamMF', make: (options) => new OverparamMF(options), load: OverparamMF.load },
  ...Object.entries(overparams).map(
    ([name, overparam]): Case => ({
      name: `OverparamMF ${name}`,
      make: (options) => new OverparamMF({ overparam, ...options }),
      load: OverparamMF.load,
    }),
  ),
];
