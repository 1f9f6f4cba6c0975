// The kernels in plain JavaScript: the definition of correct, and the fallback everywhere.

import { dot } from './dot';
import type { Kernels } from './kernels';
import { multiply, multiplyTransposed, transposedMultiply } from './matrix';
import { startPenalty } from './penalty';
import { productBackward, productForward } from './product';
import { divide, gatherAdd, rowDots, scatterAdd, scatterRows } from './rows';
import { selectRows } from './select-rows';

/** The reference implementation of the seam. */
export const reference: Kernels = {
  dot,
  gatherAdd,
  scatterAdd,
  divide,
  rowDots,
  scatterRows,
  startPenalty,
  selectRows,
  productForward,
  productBackward,
  multiply,
  multiplyTransposed,
  transposedMultiply,
};
