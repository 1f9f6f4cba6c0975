// The error that a call must end in, for tests that look at more than its message.

import { OptionError } from '../../src/core/errors';

/** The OptionError that `call` throws; anything else fails the test. */
export function faultOf(call: () => unknown): OptionError {
  try {
    call();
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}
