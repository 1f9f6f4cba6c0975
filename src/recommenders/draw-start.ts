// The random start of a model's embeddings, drawn piece by piece: for large tables it takes seconds, in which a service
// must go on answering. The same bits as a model that draws its start when it is made.

import type { Seed } from '../core/random';
import type { TaskScheduler } from '../core/scheduler';
import { parameterStream } from '../models/factorization';
import { startDraws } from '../parameters/create-parameter';
import type { Parameter } from '../parameters/parameter';

/** Draws between two looks at the clock, well under a millisecond; even, so that the pieces are the whole. */
const PIECE = 2048;

/** Gives embeddings of a model that was made with `initScale: 0` the start of one made with `initScale`. */
export async function drawStart(
  embeddings: readonly Parameter[],
  { seed, initScale }: { readonly seed: Seed; readonly initScale: number },
  scheduler: TaskScheduler,
  /** Uniform from 0 to initScale instead of normal. */
  isUniform = false,
): Promise<void> {
  if (initScale === 0) return;
  for (const parameter of embeddings) {
    const start = new Float32Array(parameter.rows * parameter.dim);
    const draws = startDraws(parameter.name, parameterStream(seed));
    for (let from = 0; from < start.length; from += PIECE) {
      const to = Math.min(from + PIECE, start.length);
      if (isUniform) for (let i = from; i < to; i++) start[i] = initScale * draws.uniform();
      else draws.normals(start, from, to, initScale);
      if (scheduler.isDue(PIECE)) await scheduler.yieldNow();
    }
    await scheduler.yieldNow();
    parameter.assign(start);
    await scheduler.yieldNow();
  }
}
