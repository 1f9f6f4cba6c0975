// A process that puts values into a folder until it is killed, or one value under one key; what a worker does between.
// Arguments: folder, 'many' or 'one', number.

import { openStore } from '../../../src/node/distributed/stores/open-store';
import { bytesOf } from '../../support/bytes-of';

const [folder, task, number] = process.argv.slice(2);
const store = await openStore(folder!);
if (task === 'one') {
  console.log('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  await store.put('the/one', bytesOf(Number(number), 4_000_000));
  process.exit(0);
}
for (let i = 0; ; i++) {
  await store.put(`many/${number}-${i}`, bytesOf(i, 4_000_000));
  // What has been told must be there, whatever happens next.
  console.log(i);
}
