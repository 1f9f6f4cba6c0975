// Where the tests and benchmarks of this repository find data sets when $OPMF_DATA does not say: in shared/data beside the
// work tree. The published library does not look there.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export default function useSharedData() {
  const folder = fileURLToPath(new URL('../../shared/data', import.meta.url));
  if (!process.env.OPMF_DATA && existsSync(folder)) process.env.OPMF_DATA = folder;
}
