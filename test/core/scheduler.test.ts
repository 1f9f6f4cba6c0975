// Other tasks get a turn whatever the host has, and whoever has put fakes in the place of its timers.

import { mock } from 'node:test';
import type { nextTask } from '../../src/core/scheduler';

interface Scheduler {
  readonly nextTask: typeof nextTask;
  now(): number;
  after(milliseconds: number, call: () => void): () => void;
}

/** The file as a module of its own, loaded with the globals of this moment. */
function load(): Scheduler {
  let loaded: Scheduler | undefined;
  jest.isolateModules(() => {
    loaded = require('../../src/core/scheduler') as Scheduler;
  });
  return loaded!;
}

/** Loads the file while some globals are absent. */
function without(names: readonly (keyof typeof globalThis)[]): Scheduler {
  const kept = names.map((name) => [name, globalThis[name]] as const);
  for (const name of names) Reflect.set(globalThis, name, undefined);
  try {
    return load();
  } finally {
    for (const [name, value] of kept) Reflect.set(globalThis, name, value);
  }
}

// Known before any fake.
const { setTimeout: realTimeout } = globalThis;
const soon = () => new Promise((resolve) => realTimeout(() => resolve('timer'), 0));

test.each([
  ['everything', []],
  ['no setImmediate', ['setImmediate']],
  ['timers alone', ['setImmediate', 'MessageChannel']],
] as const)('a timer gets its turn between tasks: %s', async (_, names) => {
  const scheduler = without(names);
  let isOver = false;
  const timer = soon().then(() => {
    isOver = true;
  });
  // A timer is due after a millisecond.
  const until = performance.now() + 1000;
  while (!isOver && performance.now() < until) await scheduler.nextTask();
  expect(isOver).toBe(true);
  await timer;
});

test('where there is nothing at all it still resolves', async () => {
  const scheduler = without(['setImmediate', 'MessageChannel', 'setTimeout', 'performance']);
  await scheduler.nextTask();
  expect(Math.abs(scheduler.now() - Date.now())).toBeLessThan(1000);
  scheduler.after(1, () => {
    throw new Error('there is no timer');
  })();
});

describe.each([
  ['modern', () => jest.useFakeTimers(), () => jest.useRealTimers()],
  ['legacy', () => jest.useFakeTimers({ legacyFakeTimers: true }), () => jest.useRealTimers()],
  ['node:test', () => mock.timers.enable(), () => mock.timers.reset()],
])('fake timers (%s)', (_, fake, real) => {
  afterEach(real);

  test('installed after the library was loaded', async () => {
    const scheduler = load();
    fake();
    await scheduler.nextTask();
    await expect(new Promise((resolve) => scheduler.after(1, () => resolve('called')))).resolves.toBe('called');
  });

  test('installed before', async () => {
    fake();
    const scheduler = load();
    await scheduler.nextTask();
  });
});

test('a wait that is called off does not call back', async () => {
  const scheduler = load();
  let called = false;
  scheduler.after(1, () => {
    called = true;
  })();
  await new Promise((resolve) => realTimeout(resolve, 20));
  expect(called).toBe(false);
});
