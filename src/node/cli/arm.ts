// Arms of a comparison as a person writes them: KIND-SCOPE-DEPTH[xWIDTH][@INIT]. report/arm-name.ts prints them.

import { nearest, show } from '../../core/options';
import type { ProductOptions } from '../../parameters/overparam';
import { UsageError } from './usage-error';

/** The form, for error messages and the help. */
export const ARM_FORM =
  'KIND-SCOPE-DEPTH[xWIDTH][@INIT], such as scalar-row-2, diagonal-row-2x2 or dense-2x24@1 (dense has no scope)';

const ARM = /^(?:(scalar|diagonal)-(row|shared)|dense)-(\d{1,4})(?:x(\d{1,6}))?(?:@([^@]+))?$/;
const FAMILIES = ['scalar-row', 'scalar-shared', 'diagonal-row', 'diagonal-shared', 'dense'];

/** Reads an arm; what is not written is absent and takes the library's default. */
export function parseArm(text: string): ProductOptions {
  const [, kind, scope, depth, width, init] = ARM.exec(text) ?? [];
  const start = init === undefined ? undefined : Number(init);
  if (
    depth === undefined ||
    Number(depth) < 1 ||
    Number(width ?? 1) < 1 ||
    (start !== undefined && (start === 0 || !Number.isFinite(start)))
  ) {
    throw new UsageError(`--overparams: ${show(text)} is no arm; want ${ARM_FORM}${advice(text)}`);
  }
  return {
    kind: (kind ?? 'dense') as NonNullable<ProductOptions['kind']>,
    ...(scope === undefined ? {} : { scope: scope as 'row' | 'shared' }),
    depth: Number(depth),
    ...(width === undefined ? {} : { width: Number(width) }),
    ...(start === undefined ? {} : { init: start }),
  };
}

function advice(text: string): string {
  if (text === 'plain') return '; plain always runs, it is what the arms are compared with';
  const family = text.replace(/-?\d.*$/, '');
  const close = FAMILIES.includes(family) ? undefined : nearest(family, FAMILIES);
  return close === undefined ? '' : `; did you mean ${close}?`;
}
