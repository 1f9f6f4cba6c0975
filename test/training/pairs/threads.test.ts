// Threads through the port: the bits of one thread, an abort that every thread hears, and a host that may not start any.

import { setTimeout as wait } from 'node:timers/promises';
import { Stream } from '../../../src/core/random';
import type { WorkerHost } from '../../../src/core/worker-host';
import { MFModel } from '../../../src/models/mf';
import { resolveOptimizer } from '../../../src/optimizers/registry';
import { Breather } from '../../../src/training/breather';
import { squared } from '../../../src/training/losses';
import { findHost } from '../../../src/training/pairs/find-host';
import { Trainer, type TrainerOptions } from '../../../src/training/trainer';
import { randomRatings } from '../../support/training';

const SHAPE = { users: 3000, items: 2500, rank: 32 };
const data = randomRatings(SHAPE, 30_000, 'float32');

function make(options: Partial<TrainerOptions>) {
  const model = new MFModel({ ...SHAPE, seed: 3 });
  const terms = { epochs: 100, batchSize: 1, shuffle: true, stream: Stream.of('order'), ...options };
  return { model, trainer: new Trainer(model, squared, resolveOptimizer('adam'), [], data, terms) };
}

async function bitsAfterTwo(options: Partial<TrainerOptions>): Promise<string> {
  const { model, trainer } = make(options);
  await trainer.epoch(1);
  await trainer.epoch(2);
  trainer.dispose();
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
  const { trainer } = make({ threads: 2 });
  const turns = new Breather(controller.signal);
  await trainer.epoch(1, turns);
  const rest = (async () => {
    for (let epoch = 2; epoch <= 100; epoch++) await trainer.epoch(epoch, turns);
  })();
  const outcome = rest.catch((error: unknown) => error);
  await wait(1);
  controller.abort('enough');
  expect(await outcome).toBe('enough');
  trainer.dispose();
});
