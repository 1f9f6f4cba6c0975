// Before all tests: where data sets lie, and what cannot be tested here.

import useSharedData from '../benchmarks/data-folder.mjs';

export default function setUp() {
  useSharedData();
  if (!process.env.OPMF_REDIS)
    console.error(
      'Skipped: the tests of distributed training that need a Redis, for $OPMF_REDIS (redis://host:port) names none; .ci/run starts one.',
    );
}
