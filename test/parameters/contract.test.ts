// The contract of parameterizations over plain tables and every product: kind x scope x depth x width x init.

import { Stream } from '../../src/core/random';
import type { ProductSpec } from '../../src/parameters/overparam';
import { createParameter } from '../../src/parameters/overparam';
import { type Make, parameterContract } from '../contract/parameters';
import { nameOf, productSpecs } from '../support/product-specs';

const DIM = 3;

const making =
  (spec: ProductSpec | undefined): Make =>
  (rows, dim, precision, seed) =>
    createParameter({ name: 'table', group: 'embedding', rows, dim, precision }, spec, 0.1, Stream.of(seed));

parameterContract('plain', making(undefined), { exact: true, mixing: false });
for (const spec of productSpecs(DIM, [1, 2.69, -0.4])) {
  parameterContract(nameOf(spec), making(spec), {
    exact: spec.kind !== 'dense' || spec.width === DIM,
    mixing: spec.kind === 'dense',
  });
}
