// The contract of models over the plain factorization and one with each kind of product, on all tables and on one.

import { MFModel } from '../../src/models/factorization';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import { modelContract, SHAPE } from '../contract/models';
import { nameOf, optionsOf, productSpecs } from '../support/product-specs';

modelContract('MFModel', (precision) => new MFModel({ ...SHAPE, precision }));
modelContract('MFModel without biases', (precision) => new MFModel({ ...SHAPE, precision, biases: false }));
for (const spec of productSpecs(SHAPE.rank, [1.5]))
  modelContract(nameOf(spec), (precision) => new OverparamMFModel({ ...SHAPE, precision, overparam: optionsOf(spec) }));
modelContract(
  'products by name',
  (precision) =>
    new OverparamMFModel({
      ...SHAPE,
      precision,
      overparam: { itemEmbedding: { kind: 'dense', depth: 3 }, userBias: { kind: 'scalar', scope: 'shared' } },
    }),
);
