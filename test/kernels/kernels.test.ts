// The contract of the kernels over every implementation: a faster twin is one line more in the list.

import type { Kernels } from '../../src/kernels/kernels';
import { reference } from '../../src/kernels/reference';
import { kernels } from '../../src/kernels/select';
import { kernelsContract } from '../contract/kernels';

const implementations: readonly [name: string, kernels: Kernels][] = [['reference', reference]];

for (const [name, implementation] of implementations) kernelsContract(name, implementation);

test('what this process uses is under contract', () => {
  expect(implementations.map(([, implementation]) => implementation)).toContain(kernels);
});
