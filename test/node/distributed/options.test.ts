// Where callers and workers meet has no default: what is missing or of another kind is told before anything is begun.

import { OptionError } from '../../../src';
import { recommendAll, train, work } from '../../../src/node/distributed';

const server = 'redis://127.0.0.1:1';

test.each([
  [{ store: '/tmp' }, /redis is undefined; want the URL of a Redis server/],
  [{ redis: 'localhost', store: '/tmp' }, /redis is "localhost"; want the URL/],
  [{ redis: server }, /store is undefined; want a string/],
  [{ redis: server, store: '/tmp', queue: 'a b' }, /queue is "a b"; want a name of letters/],
])('%j', async (where, message) => {
  const calls = [
    () => train('tiles', {}, where as never),
    () => work(where as never),
    () => recommendAll('lists.csv', 'model', {}, where as never),
  ];
  for (const call of calls) {
    const error = await call().catch((error) => error);
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(message);
  }
});
