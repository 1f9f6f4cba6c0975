// The contract of the kernels over every implementation on plain arrays; those on a heap are in simd.test.ts.

import type { Kernels } from '../../src/kernels/kernels';
import { reference } from '../../src/kernels/reference';
import { kernels } from '../../src/kernels/select';
import { simd } from '../../src/kernels/simd';
import { kernelsContract } from '../contract/kernels';

const implementations: readonly [name: string, kernels: Kernels][] = [
  ['reference', reference],
  ['simd, where arrays lie on no heap', simd],
];

for (const [name, implementation] of implementations) kernelsContract(name, implementation);

test('what this process uses is under contract', () => {
  expect(implementations.map(([, implementation]) => implementation)).toContain(kernels);
});
