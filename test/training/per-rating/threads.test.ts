// Threads through the port: the bits of one thread, an abort that is always heard, threads that cannot be started, and
// threads that end before their time.

import { setTimeout as wait } from 'node:timers/promises';
import { ThreadError } from '../../../src/core/errors';
import { Stream } from '../../../src/core/random';
import { type Scheduler, TaskScheduler } from '../../../src/core/scheduler';
import type { WorkerHandle, WorkerHost } from '../../../src/core/worker-host';
import { findHost } from '../../../src/core/worker-host';
import { MFModel } from '../../../src/models/factorization';
import { resolveOptimizer } from '../../../src/optimizers/registry';
import { squared } from '../../../src/training/losses';
import { type StepOptions, startTraining } from '../../../src/training/start-training';
import { Threads } from '../../../src/training/threads';
import { NEVER_YIELD, randomRatings } from '../../support/training';

const SHAPE = { users: 3000, items: 2500, rank: 32 };
const data = randomRatings(SHAPE, 30_000, 'float32');

async function make(options: Partial<StepOptions>, scheduler: Scheduler = NEVER_YIELD) {
  const model = new MFModel({ ...SHAPE, seed: 3 });
  const terms = { epochs: 100, batchSize: 1, shuffle: true, stream: Stream.of('order'), ...options };
  const task = { model, loss: squared, optimizer: resolveOptimizer('adam'), penalties: [], data, options: terms };
  return { model, training: await startTraining(task, scheduler) };
}

async function bitsAfterTwo(options: Partial<StepOptions>): Promise<string> {
  const { model, training } = await make(options);
  await training.epoch(1, NEVER_YIELD);
  await training.epoch(2, NEVER_YIELD);
  training.dispose?.();
  return Buffer.from(model.userFactors.data.buffer).toString('base64');
}

test('the bits of one thread, on two, on three, and where no thread may be started', async () => {
  const alone = await bitsAfterTwo({});
  expect(await bitsAfterTwo({ threads: 2 })).toBe(alone);
  expect(await bitsAfterTwo({ threads: 3 })).toBe(alone);
  expect(await bitsAfterTwo({ threads: 2, host: null })).toBe(alone);
  const forbidden: WorkerHost = {
    parallelism: 2,
    start: () => {
      throw new Error('forbidden');
    },
  };
  expect(await bitsAfterTwo({ threads: 2, host: forbidden })).toBe(alone);
});

test('a thread that dies while it loads is done without', async () => {
  const alone = await bitsAfterTwo({});
  const host = findHost()!;
  const broken: WorkerHost = { parallelism: 2, start: () => host.start('throw new Error("no")') };
  expect(await bitsAfterTwo({ threads: 2, host: broken })).toBe(alone);
});

test('an abort is heard while threads run', async () => {
  const controller = new AbortController();
  const { training } = await make({ threads: 2 });
  const scheduler = new TaskScheduler(controller.signal);
  await training.epoch(1, scheduler);
  const rest = (async () => {
    for (let epoch = 2; epoch <= 100; epoch++) await training.epoch(epoch, scheduler);
  })();
  const outcome = rest.catch((error: unknown) => error);
  await wait(1);
  controller.abort('enough');
  expect(await outcome).toBe('enough');
  training.dispose?.();
});

/** A host whose threads run something before the script, and that knows those which are not ended. */
function hostWith(before: string, patch: (handle: WorkerHandle, at: number) => WorkerHandle = (handle) => handle) {
  const host = findHost()!;
  const alive = new Set<WorkerHandle>();
  const starting: WorkerHost = {
    parallelism: 2,
    start(script) {
      const handle = host.start(`${before}${script}`);
      const terminate = () => {
        alive.delete(watched);
        handle.terminate();
      };
      const watched = patch({ ask: (message) => handle.ask(message), terminate }, alive.size);
      alive.add(watched);
      return watched;
    },
  };
  return { host: starting, alive };
}

/** Ends the thread at its nth message, before the script sees it: the others wait for it. The first three start it, lay the ratings out, and train an epoch. */
const endAt = (n: number, how: string) =>
  `let asked = 0; require('node:worker_threads').parentPort.on('message', () => { if (++asked === ${n}) ${how} });`;

test.each([
  ['throws', `${endAt(4, 'Atomics.load = () => { throw new Error("lost"); };')}`, /lost/],
  ['exits', endAt(4, 'process.exit(7)'), /code 7/],
])('a thread that %s in the second epoch makes it fail, and leaves none', async (_, before, reason) => {
  const { host, alive } = hostWith(before);
  const { training } = await make({ threads: 2, host });
  await training.epoch(1, NEVER_YIELD);
  expect(alive.size).toBe(2);
  const error = await training.epoch(2, NEVER_YIELD).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ThreadError);
  expect((error as Error).message).toMatch(reason);
  expect(alive.size).toBe(0);
});

test('threads that die while they start are done without', async () => {
  const alone = await bitsAfterTwo({});
  for (const before of ['throw new Error("lost");', endAt(1, 'process.exit(7)')]) {
    const { host, alive } = hostWith(before);
    expect(await bitsAfterTwo({ threads: 2, host })).toBe(alone);
    expect(alive.size).toBe(0);
  }
});

test('a thread that is gone before it is asked is done without', async () => {
  const alone = await bitsAfterTwo({});
  const { host } = hostWith('', (handle) => ({
    ...handle,
    async ask(message) {
      handle.terminate();
      await wait(20);
      return handle.ask(message);
    },
  }));
  expect(await bitsAfterTwo({ threads: 2, host })).toBe(alone);
});

describe('threads that never answer', () => {
  const silent = () => {
    const ended: number[] = [];
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const host: WorkerHost = {
      parallelism: 2,
      start: () => ({
        ask() {
          asked();
          return new Promise(() => undefined);
        },
        terminate: () => ended.push(1),
      }),
    };
    return { host, ended, isAsked };
  };
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));

  test('are given up', async () => {
    const { host, ended } = silent();
    expect(await Threads.start(host, 2, module, memory, new TaskScheduler(undefined), 50)).toBeNull();
    expect(ended).toHaveLength(2);
  });

  test('are given up on an abort', async () => {
    const { host, ended, isAsked } = silent();
    const controller = new AbortController();
    const outcome = make({ threads: 2, host }, new TaskScheduler(controller.signal)).catch((error: unknown) => error);
    await isAsked;
    controller.abort('enough');
    expect(await outcome).toBe('enough');
    expect(ended).toHaveLength(2);
  });
});

test('an abort leaves no thread', async () => {
  const { host, alive } = hostWith('');
  const controller = new AbortController();
  const { training } = await make({ threads: 2, host });
  const scheduler = new TaskScheduler(controller.signal);
  await training.epoch(1, scheduler);
  const outcome = training.epoch(2, scheduler).catch((error: unknown) => error);
  await wait(1);
  controller.abort('enough');
  expect(await outcome).toBe('enough');
  training.dispose?.();
  expect(alive.size).toBe(0);
});
