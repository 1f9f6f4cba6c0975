// Charts: every point where its axes say, text escaped, colours that read on light and dark, ticks that span the data.

import fc from 'fast-check';
import { COLOURS, niceTicks, renderCurves } from '../../src/report/curves';

const chart = (points: [number, number][]) =>
  renderCurves({ title: 'a chart', xLabel: 'epoch', yLabel: 'RMSE', series: [{ name: 'plain', points }] });

/** Opening and closing tags match: enough of XML for what is written here. */
function isBalanced(svg: string): boolean {
  const open: string[] = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (close === '/' && open.pop() !== name) return false;
    if (close === '' && self === '') open.push(name!);
  }
  return open.length === 0;
}

describe('renderCurves', () => {
  test('points are where the axes put them', () => {
    const svg = chart([
      [0, 0],
      [10, 1],
    ]);
    // Ticks 0 to 10 over x 64 to 624, and 0 to 1 over y 294 to 34.
    expect(svg).toContain('d="M64 294L624 34"');
  });

  test('has an accessible name, and is well-formed whatever the names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, name) => {
        const svg = renderCurves({ title, xLabel: name, yLabel: name, series: [{ name, points: [[1, 2]] }] });
        expect(isBalanced(svg)).toBe(true);
        expect(svg).toContain('role="img" aria-label="');
      }),
    );
    expect(renderCurves({ title: '<a> & "b"', xLabel: '', yLabel: '', series: [] })).toContain(
      'aria-label="&lt;a&gt; &amp; &quot;b&quot;"',
    );
  });

  test('values that are not finite are left out; a line without values is said to have none', () => {
    const svg = chart([
      [1, 1],
      [2, Number.NaN],
      [3, Infinity],
    ]);
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(chart([])).toContain('plain (no values)');
  });

  test('any finite data give finite coordinates', () => {
    const coordinate = fc.double({ min: -1e100, max: 1e100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { maxLength: 5 }), (points) => {
        expect(chart(points)).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });

  test('each colour has a contrast of 3 with white and with #111', () => {
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const colour of COLOURS) {
      expect(1.05 / (luminance(colour) + 0.05)).toBeGreaterThanOrEqual(3);
      expect((luminance(colour) + 0.05) / (luminance('#111111') + 0.05)).toBeGreaterThanOrEqual(3);
    }
    expect(new Set(COLOURS).size).toBe(COLOURS.length);
  });
});

describe('niceTicks', () => {
  test.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1], 1],
    [0.8, 1.4, 5, [0.8, 1, 1.2, 1.4], 1],
    [1, 15, 8, [0, 2, 4, 6, 8, 10, 12, 14, 16], 0],
    [0.001, 0.0042, 5, [0.001, 0.002, 0.003, 0.004, 0.005], 3],
    [-3, 250, 5, [-100, 0, 100, 200, 300], 0],
  ])('%d to %d', (low, high, wanted, values, decimals) => {
    expect(niceTicks(low, high, wanted)).toEqual({ values, decimals });
  });

  test('whole axes do not get marks between whole numbers', () => {
    expect(niceTicks(1, 2, 8, 1).values).toEqual([1, 2]);
  });

  test('they span the data, rise, and are few', () => {
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 2, max: 10 }), (a, b, wanted) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const { values } = niceTicks(low, high, wanted);
        const slack = 1e-9 * Math.max(Math.abs(low), Math.abs(high));
        expect(values[0]!).toBeLessThanOrEqual(low + slack);
        expect(values.at(-1)!).toBeGreaterThanOrEqual(high - slack);
        expect(values.length).toBeGreaterThanOrEqual(2);
        expect(values.length).toBeLessThanOrEqual(wanted + 3);
        for (let i = 1; i < values.length; i++) expect(values[i]!).toBeGreaterThan(values[i - 1]!);
      }),
      { numRuns: 1000 },
    );
  });
});
