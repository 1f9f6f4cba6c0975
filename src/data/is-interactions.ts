// Whether a value is Interactions, asked without loading the class: who answers does not read rows.

import { isNamed } from '../core/errors';
import type { Interactions } from './interactions';

/** As `instanceof Interactions`. */
export function isInteractions(value: unknown): value is Interactions {
  return isNamed('Interactions', value);
}
