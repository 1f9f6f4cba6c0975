// The contract of the kernels over every implementation on plain arrays; those on a heap are in simd.test.ts.

import { kernels } from '../../src/kernels/dispatch';
import type { Kernels } from '../../src/kernels/kernels';
import { table } from '../../src/kernels/program';
import { kernelsContract } from '../contract/kernels';

const definitions = Object.fromEntries(Object.entries(table).map(([name, { js }]) => [name, js]));

kernelsContract('as they are defined in JavaScript', definitions as unknown as Kernels);
kernelsContract('where arrays lie on no heap', kernels);
