// Calls of kernels that threads share: any blocks in any order give the same bits; so do fits of layers on any number of
// threads, which an abort ends, and which do without a helper that is gone.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { TaskScheduler } from '../../src/core/scheduler';
import { findHost, type WorkerHost } from '../../src/core/worker-host';
import { syntheticInteractions } from '../../src/data/synthetic';
import * as kernels from '../../src/kernels/dispatch';
import { Heap, type Movable, SHARED, type SharedCall } from '../../src/kernels/heap';
import { LIST, matrixProgram } from '../../src/kernels/matrix';
import { rowProgram } from '../../src/kernels/rows';
import { DeepFMModel } from '../../src/models/feature-models';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { Penalty } from '../../src/parameters/parameter';
import { NeuralCF } from '../../src/recommenders/neural/neural-cf';
import { FeatureBatcher } from '../../src/training/feature-batches';
import { logistic } from '../../src/training/losses';
import { OptimizerSink } from '../../src/training/optimizer-sink';
import { Stepper } from '../../src/training/stepper';
import { teamFor } from '../../src/training/team';
import { instantiate } from '../../src/wasm/host';
import { expectSameBits } from '../support/on-heap';
import { NEVER_YIELD } from '../support/training';

/** A team of one that makes the smallest blocks, from the last to the first, and counts the calls. */
function cutting(heap: Heap) {
  const programs = [matrixProgram, rowProgram].map((program) =>
    instantiate<Record<string, (...operands: number[]) => void>>(program.compiled(true), heap.memory),
  );
  const team = {
    calls: 0,
    run({ routine, units, multiple, count, operands, steps }: SharedCall) {
      team.calls++;
      const call = programs.map((program) => program[SHARED[routine]!]).find((found) => found !== undefined)!;
      for (let block = Math.ceil(units / multiple) - 1; block >= 0; block--) {
        const from = block * multiple;
        const own = operands.map((operand, k) => operand + from * (steps[k] ?? 0));
        own[count] = Math.min(multiple, units - from);
        call(...own);
      }
    },
  };
  return team;
}

test('blocks of a call give the bits of the call', () => {
  const size = fc.record({
    m: fc.integer({ min: 60, max: 130 }),
    n: fc.integer({ min: 90, max: 180 }),
    seed: fc.nat(),
  });
  let shared = 0;
  fc.assert(
    fc.property(size, ({ m, n: columns, seed }) => {
      const stream = Stream.of(seed);
      // Half of them of whole vectors.
      const n = seed % 2 === 0 ? columns & ~3 : columns;
      const k = 40;
      const reals = (length: number) => Float32Array.from({ length }, () => stream.normal());
      const count = 400 * n;
      const made = () => ({
        a: reals(m * k),
        b: reals(k * n),
        c: reals(m * n),
        turned: reals(count),
        rows: reals(count),
        sums: reals(n),
        sparse: reals(m * n),
        lists: new Int32Array(m * LIST),
        at: Int32Array.from({ length: 400 }, (_, i) => i),
        ids: Int32Array.from({ length: m }, () => stream.below(m)),
      });
      const start = made();
      const run = (team: boolean) => {
        const held = { ...start } as Record<keyof typeof start, never>;
        const heap = Heap.holding(
          (move) => {
            for (const name of Object.keys(held) as (keyof typeof start)[])
              held[name] = move(start[name] as Movable) as never;
          },
          'wasm',
          true,
        )!;
        expect(heap.isShared).toBe(true);
        const cuts = cutting(heap);
        if (team) heap.shareWith(cuts);
        const { a, b, c, sparse, lists, turned, rows, sums, at, ids } = held as unknown as typeof start;
        kernels.multiply(a, seed % 3 === 0 ? null : ids, b, m, k, n, c);
        kernels.multiplySparse(a, b, m, k, n, sparse, lists);
        kernels.addRow(sums, m, n, true, c);
        kernels.addRows(rows, seed % 5 === 0 ? null : turned, 400, n, sums);
        kernels.transpose(rows, null, 400, n, turned);
        kernels.startPenalty(turned, at, at, at, null, 0.1, 2, n, 400, rows);
        kernels.add(turned, count, rows);
        shared += cuts.calls;
        return [c, sparse, turned, rows, sums];
      };
      const alone = run(false);
      for (const [i, array] of run(true).entries()) expectSameBits(array, alone[i]!);
    }),
    { numRuns: 20 },
  );
  expect(shared).toBeGreaterThan(60);
});

const FIELDS = [
  { name: 'a', kind: 'categorical', offset: 0, size: 60 },
  { name: 'b', kind: 'categorical', offset: 60, size: 40 },
] as never;
const ROWS = 1000;

/** A training of DeepFM on rows of two features. */
async function training(threads: number, host: WorkerHost | null) {
  const options = { fields: FIELDS, dim: 16, initScale: 0.1, overparam: false, seed: 1, precision: 'float32' } as const;
  const layers = { hidden: [96, 52, 33], activation: 'relu', dropout: 0, batchNorm: false, pooling: 'mean' } as const;
  const model = new DeepFMModel({ ...options, ...layers });
  const stream = Stream.of('rows');
  const indices = Int32Array.from({ length: 2 * ROWS }, (_, p) =>
    p % 2 === 0 ? stream.below(60) : 60 + stream.below(40),
  );
  const data = {
    size: ROWS,
    starts: Int32Array.from({ length: ROWS + 1 }, (_, s) => 2 * s),
    indices,
    values: new Float32Array(2 * ROWS).fill(1),
    targets: Float32Array.from({ length: ROWS }, () => stream.below(2)),
    weights: null,
  };
  const batcher = new FeatureBatcher(data, Stream.of(2), true);
  await batcher.prepare(NEVER_YIELD);
  model.reserve(256, 512);
  const sink = new OptimizerSink([{ optimizer: resolveOptimizer('adam'), parameters: model.parameters }]);
  const penalties = model.parameters.filter(({ dim }) => dim > 1).map((one) => new Penalty(one, 0.01, null, true));
  const steps = { epochs: 100, batchSize: 256 };
  const team = teamFor(model, ROWS, { threads, host });
  const stepper = new Stepper(model, logistic, penalties, batcher, sink, data, 1, steps, 'wasm', null, null, team);
  return { model, stepper };
}

async function bitsAfterTwo(threads: number, host: WorkerHost | null): Promise<string> {
  const { model, stepper } = await training(threads, host);
  const losses = [await stepper.epoch(1, NEVER_YIELD), await stepper.epoch(2, NEVER_YIELD)];
  stepper.dispose();
  const tables = model.parameters.map(({ values }) => Buffer.from(values.slice().buffer).toString('base64'));
  return JSON.stringify([losses, tables]);
}

test('the bits of one thread on two, three and four, and where none may be started', async () => {
  const alone = await bitsAfterTwo(1, null);
  const host = findHost()!;
  for (const threads of [2, 3, 4]) expect(await bitsAfterTwo(threads, host)).toBe(alone);
  const broken: WorkerHost = { parallelism: 2, start: () => host.start('throw new Error("no")') };
  expect(await bitsAfterTwo(2, broken)).toBe(alone);
});

/** The host of this process, which knows the threads that are not ended. */
function watched() {
  const host = findHost()!;
  const alive = new Set<object>();
  const starting: WorkerHost = {
    parallelism: 2,
    start(script) {
      const handle = host.start(script);
      alive.add(handle);
      const terminate = () => {
        alive.delete(handle);
        handle.terminate();
      };
      return { ask: (message) => handle.ask(message), terminate };
    },
  };
  return { host: starting, alive };
}

test('an abort is heard between two layers, and leaves no thread', async () => {
  const { host, alive } = watched();
  const { stepper } = await training(2, host);
  const controller = new AbortController();
  const scheduler = new TaskScheduler(controller.signal);
  await stepper.epoch(1, scheduler);
  expect(alive.size).toBe(1);
  let pauses = 0;
  const impatient = {
    signal: controller.signal,
    isDue: () => true,
    async yieldNow() {
      if (++pauses === 5) controller.abort('enough');
      await scheduler.yieldNow();
    },
  };
  await expect(stepper.epoch(2, impatient)).rejects.toBe('enough');
  expect(pauses).toBe(5);
  stepper.dispose();
  expect(alive.size).toBe(0);
});

test('a helper that is gone is done without', async () => {
  const alone = await bitsAfterTwo(1, null);
  const host = findHost()!;
  const leaving: WorkerHost = {
    parallelism: 2,
    start(script) {
      const handle = host.start(script);
      return {
        terminate: () => handle.terminate(),
        async ask(message) {
          const answer = await handle.ask(message);
          handle.terminate();
          return answer;
        },
      };
    },
  };
  expect(await bitsAfterTwo(2, leaving)).toBe(alone);
});

test('NeuralCF on one thread and on two: the same lists', async () => {
  const data = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
  const lists = [];
  for (const threads of [1, 2]) {
    const model = new NeuralCF({ epochs: 1, hidden: [64, 32], batchSize: 256, threads });
    await model.fit(data);
    lists.push(model.recommend(data.users.idOf(0), { n: 10 }));
  }
  expect(lists[1]).toEqual(lists[0]);
});
