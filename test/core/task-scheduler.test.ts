// A pause falls due by the clock, and by the work done where the clock stands still.

import { TaskScheduler } from '../../src/core/scheduler';

/** The looks until a pause is due. */
function looksOf(scheduler: TaskScheduler): number {
  for (let looks = 1; looks < 1e6; looks++) if (scheduler.isDue(512)) return looks;
  return Number.POSITIVE_INFINITY;
}

test('under a clock that stands still', async () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValue(1);
  let Frozen: typeof TaskScheduler | undefined;
  jest.isolateModules(() => {
    Frozen = (require('../../src/core/scheduler') as { TaskScheduler: typeof TaskScheduler }).TaskScheduler;
  });
  const scheduler = new Frozen!(undefined);
  expect(looksOf(scheduler)).toBe(64);
  await scheduler.yieldNow();
  expect(looksOf(scheduler)).toBe(64);
  clock.mockRestore();
});

test('under one that goes', () => {
  const scheduler = new TaskScheduler(undefined);
  const started = performance.now();
  expect(looksOf(scheduler)).toBeLessThan(1e6);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('an abort is noticed at the start and after a pause', async () => {
  const controller = new AbortController();
  const scheduler = new TaskScheduler(controller.signal);
  controller.abort(new Error('enough'));
  await expect(scheduler.yieldNow()).rejects.toThrow('enough');
  expect(() => new TaskScheduler(controller.signal)).toThrow('enough');
});
