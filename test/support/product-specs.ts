// Every kind of product that a table may be written as: what the suites of parameters and models are run over.

import type { ProductOptions, ProductSpec } from '../../src/parameters/overparam';

/** The products of a table of dimension `dim`: kind x scope x depth 2-4 x width x init. */
export function productSpecs(dim: number, inits: readonly number[]): ProductSpec[] {
  const specs: ProductSpec[] = [];
  for (const init of inits)
    for (const depth of [2, 3, 4]) {
      for (const kind of ['scalar', 'diagonal'] as const)
        for (const scope of ['row', 'shared'] as const)
          for (const width of [1, 2, 3]) specs.push({ kind, scope, depth, width, init, biases: false });
      for (const width of [dim, dim + 1, 2 * dim])
        specs.push({ kind: 'dense', scope: 'shared', depth, width, init, biases: false });
    }
  return specs;
}

/** `scalar-row-3x2@1.5` */
export function nameOf({ kind, scope, depth, width, init }: ProductSpec): string {
  return `${kind}${kind === 'dense' ? '' : `-${scope}`}-${depth}x${width}@${init}`;
}

/** A product as the option `overparam` takes it, for biases too; a dense product's width must fit all of its tables. */
export function optionsOf({ kind, scope, depth, width, init }: ProductSpec): ProductOptions {
  return { kind, scope, depth, width, init, biases: true };
}
