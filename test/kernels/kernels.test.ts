// The contract of the kernels over every implementation on plain arrays; those on a heap are in simd.test.ts.

import * as kernels from '../../src/kernels/dispatch';
import type { Kernels } from '../../src/kernels/kernels';
import { kernelsContract } from '../contract/kernels';
import { table } from '../support/on-heap';

const definitions = Object.fromEntries(Object.entries(table).map(([name, { js }]) => [name, js]));

kernelsContract('as they are defined in JavaScript', definitions as unknown as Kernels);
kernelsContract('where arrays lie on no heap', kernels);

test('every kernel that can be called is in a program', () => {
  expect(Object.keys(table).sort()).toEqual(Object.keys(kernels).sort());
});
