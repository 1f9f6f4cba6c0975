// A pause falls due by the clock, and by the work done where the clock stands still.

import { Breather } from '../../src/training/breather';

/** The looks until a pause is due. */
function looksOf(breather: Breather): number {
  for (let looks = 1; looks < 1e6; looks++) if (breather.isDue(512)) return looks;
  return Number.POSITIVE_INFINITY;
}

test('under a clock that stands still', async () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValue(1);
  let Frozen: typeof Breather | undefined;
  jest.isolateModules(() => {
    Frozen = (require('../../src/training/breather') as { Breather: typeof Breather }).Breather;
  });
  const breather = new Frozen!(undefined);
  expect(looksOf(breather)).toBe(64);
  await breather.breathe();
  expect(looksOf(breather)).toBe(64);
  clock.mockRestore();
});

test('under one that goes', () => {
  const breather = new Breather(undefined);
  const started = performance.now();
  expect(looksOf(breather)).toBeLessThan(1e6);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('an abort is noticed at the start and after a pause', async () => {
  const controller = new AbortController();
  const breather = new Breather(controller.signal);
  controller.abort(new Error('enough'));
  await expect(breather.breathe()).rejects.toThrow('enough');
  expect(() => new Breather(controller.signal)).toThrow('enough');
});
