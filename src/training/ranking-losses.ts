// The ranking losses: of groups of one item that a user has, first, and some that the user does not have. What counts is
// the order of their scores.

import { exponential, naturalLog, sigmoid, softplus } from '../core/elementary';
import type { Real } from '../optimizers/factor';
import type { Loss, LossBatch } from './loss';

/** The names of the ranking losses. */
export type RankingLossName = 'bpr' | 'warp' | 'softmax';

/**
 * BPR: the mean over the negatives of -log sigma(s_positive - s_negative) (Rendle, Freudenthaler, Gantner, Schmidt-Thieme,
 * UAI 2009).
 */
export const bpr: Loss = {
  name: 'bpr',
  evaluate({ scores, weights, count, group = 1 }: LossBatch, gScores: Real): number {
    const share = 1 / (group - 1);
    let sum = 0;
    for (let start = 0; start < count; start += group) {
      const weight = (weights === null ? 1 : weights[start]!) * share;
      let slope = 0;
      for (let s = start + 1; s < start + group; s++) {
        const margin = scores[start]! - scores[s]!;
        const pull = weight * sigmoid(-margin);
        gScores[s] = pull;
        slope -= pull;
        sum += weight * softplus(-margin);
      }
      gScores[start] = slope;
    }
    return sum;
  },
};

/**
 * WARP: the first negative that is not at least 1 behind the positive, with a weight that grows with the rank that so few
 * tries let one expect: log(max(1, floor((items - 1) / tries))) times the hinge (Weston, Bengio, Usunier, IJCAI 2011; the
 * weight is LightFM's). `items`: how many there are to choose from.
 */
export function warp(items: number): Loss {
  return {
    name: 'warp',
    evaluate({ scores, weights, count, group = 1 }: LossBatch, gScores: Real): number {
      let sum = 0;
      gScores.fill(0, 0, count);
      for (let start = 0; start < count; start += group) {
        const weight = weights === null ? 1 : weights[start]!;
        for (let tries = 1; tries < group; tries++) {
          const hinge = 1 - scores[start]! + scores[start + tries]!;
          if (hinge <= 0) continue;
          const slope = weight * naturalLog(Math.max(1, Math.floor((items - 1) / tries)));
          gScores[start] = -slope;
          gScores[start + tries] = slope;
          sum += slope * hinge;
          break;
        }
      }
      return sum;
    },
  };
}

/**
 * Sampled softmax: -log of the positive's share of the group, each score less the log of the chance to be drawn, without
 * which popular items would be pushed down for being drawn often (Bengio and Senecal 2008; Yi et al., RecSys 2019).
 */
export const softmax: Loss = {
  name: 'softmax',
  evaluate({ scores, weights, logQ = null, count, group = 1 }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let start = 0; start < count; start += group) {
      const weight = weights === null ? 1 : weights[start]!;
      const end = start + group;
      const logit = (s: number) => scores[s]! - (logQ === null ? 0 : logQ[s]!);
      let largest = -Infinity;
      for (let s = start; s < end; s++) largest = Math.max(largest, logit(s));
      let total = 0;
      for (let s = start; s < end; s++) {
        const share = exponential(logit(s) - largest);
        gScores[s] = share;
        total += share;
      }
      for (let s = start; s < end; s++) gScores[s] = (weight * gScores[s]!) / total;
      gScores[start]! -= weight;
      sum += weight * (naturalLog(total) + largest - logit(start));
    }
    return sum;
  },
};
