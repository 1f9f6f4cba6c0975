// On terminals a bar, not too often, within 80 columns, which is gone afterwards; elsewhere a line every five seconds.

import { startProgress } from '../../../src/node/cli/printing';

function draw(isTTY: boolean, times: number[]) {
  const written: string[] = [];
  const io = { stdout: { write() {} }, stderr: { write: (text: string) => written.push(text) }, isTTY };
  let clock = 0;
  const progress = startProgress(io, () => clock);
  times.forEach((time, i) => {
    clock = time;
    progress.update((i + 1) / times.length, `epoch ${i + 1}, ${'a long label '.repeat(9)}`);
  });
  progress.done();
  return written;
}

test('when piped it is a whole line every five seconds, and none where it is done before', () => {
  expect(draw(false, [0, 1000, 2000])).toEqual([]);
  const lines = draw(false, [0, 4999, 5000, 9999, 10_000, 10_001]);
  expect(lines.map((line) => line.slice(0, 13))).toEqual([' 50% epoch 3,', ' 83% epoch 5,']);
  for (const line of lines) expect([...line].filter((one) => one < ' ')).toEqual(['\n']);
});

test('on a terminal it fills, and its line is cleared at the end', () => {
  const written = draw(true, [0, 1000, 2000, 3000]);
  expect(written).toHaveLength(5);
  expect(written[1]).toMatch(/^\r\[#{14}\.{14}\] {2}50% epoch 2/);
  expect(written[3]).toContain('100%');
  expect(written[4]).toBe('\r\u001b[K');
  // Without the carriage return and the escape that clears to the right.
  for (const line of written) expect(line.length - 4).toBeLessThan(80);
});

test('it is not redrawn more often than a person can see, save for the last time', () => {
  expect(draw(true, [0, 10, 20, 30, 100, 110, 120])).toHaveLength(4);
});

test('a bar that was never drawn clears nothing', () => {
  expect(draw(true, [])).toEqual([]);
});
