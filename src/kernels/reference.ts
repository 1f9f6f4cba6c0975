// The kernels in plain JavaScript: the definition of correct, and the fallback everywhere.

import type { Kernels } from './kernels';
import { multiply, multiplyTransposed, transposedMultiply } from './matrix';
import { productBackward, productForward } from './product';
import { dot, gatherAdd, rowDots, scatterAdd, scatterRows } from './rows';
import { sgdPairs } from './sgd-pairs';

/** The reference implementation of the seam. */
export const reference: Kernels = {
  dot,
  gatherAdd,
  scatterAdd,
  rowDots,
  scatterRows,
  productForward,
  productBackward,
  sgdPairs,
  multiply,
  multiplyTransposed,
  transposedMultiply,
};
