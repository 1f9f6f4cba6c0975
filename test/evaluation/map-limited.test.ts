// Tasks under way at once: the limit, the order of the results, and what a failure leaves undone.

import { mapLimited } from '../../src/evaluation/fit-threads';

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('keeps the order of the inputs and the limit', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapLimited([5, 1, 3, 2, 4], 2, async (n) => {
    most = Math.max(most, ++running);
    await later(n * 3);
    running--;
    return 2 * n;
  });
  expect(doubled).toEqual([10, 2, 6, 4, 8]);
  expect(most).toBe(2);
});

test('the first failure is thrown, and nothing more starts', async () => {
  const started: number[] = [];
  const failing = mapLimited([1, 2, 3, 4], 2, async (n) => {
    started.push(n);
    await later(n);
    if (n === 1) throw new Error('one');
  });
  await expect(failing).rejects.toThrow('one');
  await later(10);
  expect(started).toEqual([1, 2]);
});
