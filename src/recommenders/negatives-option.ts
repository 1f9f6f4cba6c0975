// Reading the option `negatives`: what is not given follows from the loss.

import { field, integer, number, oneOf, readOptions, wrong } from '../core/options';
import type { GroupLossName } from '../training/group-losses';
import type { LossName } from '../training/losses';
import type { NegativeSampling } from '../training/negatives/item-sampler';

/** How negatives are drawn. */
export interface Negatives {
  /** For each interaction. @defaultValue that of the loss */
  readonly count?: number | undefined;
  /** @defaultValue 'uniform' */
  readonly sampler?: 'uniform' | 'popularity' | undefined;
  /** 'popularity': the power of an item's number of interactions. @defaultValue 0.75 */
  readonly exponent?: number | undefined;
}

/** Negatives where a loss cannot do without. */
const USUAL: Readonly<Record<GroupLossName, number>> = { bpr: 1, warp: 16, softmax: 32 };
/** And where logistic is told to draw some without a number. */
const USUAL_LOGISTIC = 4;
const MOST = 4096;

/** Whether a loss is one of groups, which needs negatives. */
function isGroupLoss(loss: LossName | GroupLossName | 'auto'): loss is GroupLossName {
  return Object.hasOwn(USUAL, loss);
}

/** The sampling of a training, or false for none. @throws OptionError */
export function readNegatives(
  owner: string,
  given: number | Negatives | false | undefined,
  loss: LossName | GroupLossName | 'auto',
): NegativeSampling | false {
  const isGroup = isGroupLoss(loss);
  if (given === undefined && !isGroup) return false;
  if (given === false || given === 0) {
    if (isGroup)
      throw wrong('negatives', given, `at least 1: loss '${loss}' compares what users have with what they do not`);
    return false;
  }
  if (!isGroup && loss !== 'logistic') {
    const why =
      loss === 'auto' ? "loss 'auto' draws its own where it needs some" : `loss '${loss}' takes the values as they are`;
    throw wrong('negatives', given, `false: ${why}; use logistic, bpr, warp or softmax`);
  }
  const count = integer({ min: 1, max: MOST });
  const options = typeof given === 'number' ? { count: count(given, 'negatives') } : given;
  return readOptions<NegativeSampling>(
    owner,
    options,
    {
      count: field(count, isGroup ? USUAL[loss] : USUAL_LOGISTIC),
      sampler: field(oneOf('uniform', 'popularity'), 'uniform'),
      exponent: field(number({ min: 0, max: 4 }), 0.75),
    },
    'negatives.',
  );
}
