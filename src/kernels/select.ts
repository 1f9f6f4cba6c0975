// Which implementation of the kernels this process uses: the twin that takes WebAssembly where arrays lie in a heap, and
// the reference everywhere else. Where a heap cannot be made, no array lies in one.

import { simd } from './simd';

/** The kernels of this process. */
export const kernels = simd;
