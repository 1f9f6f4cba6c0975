// `regularization.dense` shrinks the weights of dense layers, and nothing else is read from it.

import { syntheticInteractions } from '../../src/data/synthetic';
import { NeuralCF } from '../../src/recommenders/neural/neural-cf';
import { kinds, makeRows } from './features/kinds';

type Fitted = {
  model: { parameters: readonly { factors: readonly { group: string }[]; collapse(): ArrayLike<number> }[] };
};

/** The sum of squares of the weights of dense layers. */
function squaresOfDense({ model }: Fitted): number {
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  expect(dense.length).toBeGreaterThan(0);
  return dense.flatMap((weights) => Array.from(weights.collapse())).reduce((sum, w) => sum + w * w, 0);
}

const rows = makeRows(300);
const synthetic = syntheticInteractions({ users: 60, items: 90, ratings: 600, seed: 1 });
const fits: Record<string, (dense: number) => Promise<Fitted>> = {
  NeuralCF: async (dense) => {
    const model = new NeuralCF({
      epochs: 10,
      optimizer: { name: 'adam', learningRate: 0.01 },
      regularization: { dense },
    });
    await model.fit(synthetic);
    return model as unknown as Fitted;
  },
  ...Object.fromEntries(
    ['DeepFM', 'WideDeep'].map((kind) => [
      kind,
      async (dense: number) => {
        const model = kinds[kind]!.make({ epochs: 10, regularization: { dense } });
        await model.fit(rows);
        return model as unknown as Fitted;
      },
    ]),
  ),
};

test.each(Object.keys(fits))(
  '%s: the larger regularization.dense, the smaller the weights of its layers',
  async (kind) => {
    const [none, some, much] = [await fits[kind]!(0), await fits[kind]!(0.01), await fits[kind]!(10)];
    expect(squaresOfDense(some)).toBeLessThan(squaresOfDense(none));
    expect(squaresOfDense(much)).toBeLessThan(0.9 * squaresOfDense(some));
  },
);
