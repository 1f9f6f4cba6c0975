// An arm of a comparison in one word: KIND-SCOPE-DEPTH[xWIDTH][@INIT], or `plain`. cli/arm.ts reads the same form.

import type { ComparisonArm } from '../evaluation/comparison';

/** `scalar-row-2`, `diagonal-row-2x2`, `dense-2x24@1`. An absent part is not written; nor is a width of 1 outside dense. */
export function armName(arm: Partial<Exclude<ComparisonArm, false>> | false): string {
  if (arm === false) return 'plain';
  const { kind, scope, depth = 2, width, init } = arm;
  const shape = width === undefined || (width === 1 && kind !== 'dense') ? `${depth}` : `${depth}x${width}`;
  return `${kind === 'dense' ? kind : `${kind}-${scope}`}-${shape}${init === undefined ? '' : `@${init}`}`;
}
