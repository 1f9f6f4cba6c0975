// The same rows as text and as HTML: what each cell says, that columns line up, and that no text becomes markup.

import { OptionError } from '../../src/core/errors';
import type { Comparison, ComparisonArm, ComparisonRun } from '../../src/evaluation/comparison';
import { comparisonReport } from '../../src/report/comparison-report';
import { armName, comparisonSections, comparisonTitle } from '../../src/report/comparison-rows';
import { comparisonTable } from '../../src/report/comparison-table';
import { aComparison } from './a-comparison';

test.each([
  undefined,
  null,
  3,
  'text',
  Symbol('x'),
  [],
  {},
  { ...aComparison(), runs: [3] },
  { ...aComparison(), runs: undefined },
  { ...aComparison(), summary: [{}] },
  { ...aComparison(), machine: null },
])('what is no comparison is an OptionError: case %#', (given) => {
  for (const report of [comparisonReport, comparisonTable])
    expect(() => report(given as unknown as Comparison)).toThrow(OptionError);
});

test('the title counts epochs and seeds', () => {
  const title = (epochs: number) => comparisonTitle({ ...aComparison(), epochs, seeds: [1] });
  expect(title(1)).toContain(', 1 epoch, seed 1, ');
  expect(title(2)).toContain(', 2 epochs, seed 1, ');
});

describe('comparisonSections', () => {
  const [sgd, adam] = comparisonSections(aComparison());

  test('plain comes first, then the arms in the order of the runs', () => {
    expect(sgd!.rows.map((row) => row[0])).toEqual(['plain', 'scalar-row-2@1']);
  });

  test('every cell of a row', () => {
    expect(sgd!.rows[0]).toEqual([
      'plain',
      '0.005',
      '1.2500 ± 0.0100',
      '1.1500 (2)',
      '2',
      '0.24',
      '0.3500 ± 0.0200',
      '3',
      '120',
    ]);
    expect(sgd!.rows[1]).toEqual([
      'scalar-row-2@1',
      '0.005',
      '0.9000 ± 0.0100',
      '0.9000 (3)',
      '1 (plain 2)',
      '0.12',
      '0.7000 ± 0.0200',
      'never',
      '120',
    ]);
  });

  test('a diverged arm is called so; what it cannot say is a dash', () => {
    expect(adam!.rows[0]!.slice(2)).toEqual(['diverged (1 of 2)', '2.0000 (1)', 'never', '-', '-', 'never', '120']);
    expect(adam!.rows[0]![1]).toBe('embedding 0.001, bias 0.004');
  });

  test('curves are means over the seeds, as far as all of them got', () => {
    expect(sgd!.curves[0]!.testRmse.map(([epoch]) => epoch)).toEqual([1, 2, 3]);
    expect(sgd!.curves[0]!.testRmse[1]![1]).toBeCloseTo(1.15, 12);
    expect(adam!.curves[0]!.trainLoss).toEqual([[1, 3]]);
  });

  test('one seed has no spread', () => {
    const comparison = { ...aComparison(), seeds: [1] };
    expect(comparisonSections(comparison)[0]!.rows[0]![2]).toBe('1.2500');
  });
});

describe('matched terms', () => {
  const paper = aComparison();
  const isSgd = ({ optimizer }: { readonly optimizer: string }) => optimizer === 'sgd';
  const row = paper.runs[0]!.overparam;
  const deep = { kind: 'scalar', scope: 'row', depth: 3, width: 1, init: 1 } as const;
  // Each product behind a plain twin; the second pair is the first with every error doubled.
  const pair = [...paper.runs.filter(isSgd)].sort(
    (a, b) => Number(a.overparam !== false) - Number(b.overparam !== false),
  );
  const asMatched = <T extends { readonly overparam: ComparisonArm }>(one: T, product: ComparisonArm): T =>
    one.overparam === false ? { ...one, matches: product } : { ...one, overparam: product };
  const doubled = (run: ComparisonRun) => ({
    ...run,
    learningRate: 0.02,
    epochs: run.epochs.map((epoch) => ({ ...epoch, testRmse: 2 * epoch.testRmse })),
  });
  const summary = paper.summary.filter(isSgd);
  const [sgd] = comparisonSections({
    ...paper,
    terms: 'matched',
    runs: [...pair.map((run) => asMatched(run, row)), ...pair.map((run) => asMatched(doubled(run), deep))],
    summary: [
      ...summary.map((one) => asMatched(one, row)),
      ...summary.map((one) => asMatched({ ...one, target: { ...one.target, value: 9 }, epochsToTarget: 7 }, deep)),
    ],
  });

  test('each plain twin has a row of its own, before its product, with its own rate and curve', () => {
    expect(sgd!.rows.map((cells) => cells[0])).toEqual([
      'plain as scalar-row-2@1',
      'scalar-row-2@1',
      'plain as scalar-row-3@1',
      'scalar-row-3@1',
    ]);
    expect(sgd!.rows.map((cells) => cells[1])).toEqual(['0.005', '0.005', '0.02', '0.02']);
    expect(sgd!.rows.map((cells) => cells[3])).toEqual(['1.1500 (2)', '0.9000 (3)', '2.3000 (2)', '1.8000 (3)']);
  });

  test('a product is held against its own twin', () => {
    expect(sgd!.rows.map((cells) => cells[4])).toEqual(['2', '1 (plain 2)', '7', '7 (plain 7)']);
    expect(sgd!.targets).toContain("plain as scalar-row-2@1's best mean test RMSE is 1.1500");
    expect(sgd!.targets).toContain("plain as scalar-row-3@1's best mean test RMSE is 9.0000");
  });
});

describe('comparisonTable', () => {
  const table = comparisonTable(aComparison());

  test("says what was compared, plain's targets, and how to read it", () => {
    expect(table).toContain(
      'ml-100k: 943 users, 1682 items, 90000 training and 10000 test ratings; rank 15, 3 epochs, seeds 1, 2, paper terms',
    );
    expect(table).toContain(
      "sgd: plain's best mean test RMSE is 1.1500, its mean training loss after the last epoch 0.3500",
    );
    expect(table).toContain('adam: plain has no targets to reach; its training diverged');
    expect(table).toContain('training target is a different matter');
  });

  test('columns line up: each cell ends where its head ends', () => {
    const lines = table.split('\n');
    const at = lines.findIndex((line) => line.startsWith('sgd:'));
    const [head, , plain, arm] = lines.slice(at + 1, at + 5) as [string, string, string, string];
    for (const [title, first, second] of [
      ['best test RMSE', '2', '1 (plain 2)'],
      ['test RMSE', '1.2500 ± 0.0100', '0.9000 ± 0.0100'],
    ] as const) {
      const heading = [head, lines[at + 2]!].find((line) => line.includes(title))!;
      const end = heading.indexOf(title) + title.length;
      expect(plain.slice(0, end).endsWith(first)).toBe(true);
      expect(arm.slice(0, end).endsWith(second)).toBe(true);
    }
  });

  test('a name with control characters cannot move the cursor', () => {
    expect(comparisonTable(aComparison('a\u001b[2Jb'))).toContain('a?[2Jb:');
  });
});

describe('fair terms', () => {
  const arm = (overparam: boolean, validationRmse: number | null, mean: number | null, optimizer = 'sgd') => ({
    ...{ optimizer, learningRate: 0.1, validationRmse, testRmse: { mean, std: 0 } },
    overparam: overparam && ({ kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 } as const),
  });
  const arms = [
    arm(false, 1, 1),
    arm(true, 0.9, 1.01),
    arm(true, 0.95, 0.98),
    arm(false, 1, 0.8, 'adam'),
    arm(true, null, null, 'adam'),
  ];

  test('are one line: plain, and the product that validation ratings chose; a dash where it diverged', () => {
    const comparison = { ...aComparison(), fair: { trials: 6, seconds: 2.345, arms } };
    const line =
      'Fair terms, each arm at the best of 6 rates on a tenth of its training ratings (2.3 s): last test RMSE of plain and of the best product: sgd 1.0000 and 1.0100 (+1.00 %), adam 0.8000 and -';
    expect(comparisonTable(comparison).split('\n')).toContain(line);
    expect(comparisonReport(comparison)).toContain(`<p>${line}.</p>`);
    expect(comparisonTable(aComparison())).not.toContain('Fair terms');
  });
});

describe('comparisonReport', () => {
  test('a table and two charts for each optimizer', () => {
    const page = comparisonReport(aComparison());
    expect(page.match(/<table>/g)).toHaveLength(2);
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page).toContain('<title>sgd: test RMSE</title>');
    expect(page).toContain('<title>adam: training loss</title>');
  });

  test('text is escaped wherever it stands', () => {
    const page = comparisonReport(aComparison(`<script>alert("x")</script>&'`));
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;');
    expect(page).toContain('a &lt;fast&gt; one');
  });
});

describe('armName', () => {
  test.each([
    [false, 'plain'],
    [{ kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 }, 'scalar-row-2@1'],
    [{ kind: 'scalar', scope: 'row' }, 'scalar-row-2'],
    [{ kind: 'diagonal', scope: 'shared', depth: 3, width: 2 }, 'diagonal-shared-3x2'],
    [{ kind: 'dense', depth: 2, width: 24, init: 0.5 }, 'dense-2x24@0.5'],
  ] as const)('%j is %s', (arm, name) => {
    expect(armName(arm)).toBe(name);
  });
});
