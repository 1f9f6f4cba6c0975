// Which implementation of the kernels this process uses. One today; a twin is chosen here, once, and nowhere else.

import { reference } from './reference';

/** The kernels of this process. */
export const kernels = reference;
