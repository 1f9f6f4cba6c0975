// Arms are read as they are written, and what is no arm is refused with the form.

import fc from 'fast-check';
import { UsageError } from '../../../src/node/cli/command';
import { parseArm } from '../../../src/node/cli/compare';
import type { ProductOptions } from '../../../src/parameters/overparam';
import { armName } from '../../../src/report/comparison-rows';

describe('parseArm', () => {
  test.each<[string, ProductOptions]>([
    ['scalar-row-2', { kind: 'scalar', scope: 'row', depth: 2 }],
    ['scalar-shared-3@1.5', { kind: 'scalar', scope: 'shared', depth: 3, init: 1.5 }],
    ['diagonal-row-2x2', { kind: 'diagonal', scope: 'row', depth: 2, width: 2 }],
    ['dense-2x24@1', { kind: 'dense', depth: 2, width: 24, init: 1 }],
    ['dense-4@-.5', { kind: 'dense', depth: 4, init: -0.5 }],
  ])('%s', (text, arm) => {
    expect(parseArm(text)).toEqual(arm);
  });

  test.each([
    '',
    'scalar',
    'scalar-2',
    'scalar-row',
    'scalar-row-0',
    'scalar-row-2x0',
    'scalar-row-2@0',
    'scalar-row-2@x',
    'dense-row-2',
    'diagonal-row-2@',
    'scalar-row--2',
    'Scalar-row-2',
    'scalar-row-2 ',
  ])('%j is refused with the form', (text) => {
    expect(() => parseArm(text)).toThrow(UsageError);
    expect(() => parseArm(text)).toThrow(/want KIND-SCOPE-DEPTH\[xWIDTH\]\[@INIT\]/);
  });

  test('a close miss is named', () => {
    expect(() => parseArm('scaler-row-2')).toThrow(/did you mean scalar-row\?/);
    expect(() => parseArm('plain')).toThrow(/plain always runs/);
  });

  test('what armName prints, parseArm reads', () => {
    const arm = fc
      .record(
        {
          kind: fc.constantFrom('scalar', 'diagonal', 'dense'),
          scope: fc.constantFrom('row', 'shared'),
          depth: fc.integer({ min: 1, max: 16 }),
          width: fc.integer({ min: 2, max: 500 }),
          init: fc.double({ min: 1e-3, max: 100, noNaN: true }),
        } as const,
        { requiredKeys: ['kind', 'scope', 'depth'] },
      )
      .map(({ scope, ...rest }) => (rest.kind === 'dense' ? rest : { ...rest, scope }));
    fc.assert(
      fc.property(arm, (given) => {
        expect(parseArm(armName(given))).toEqual(given);
      }),
    );
  });
});
