// What a test set says is relevant, and what each item gains.

import { runToEnd } from '../../src/core/scheduler';
import { Interactions } from '../../src/data/interactions';
import { GAINS, relevantUsers } from '../../src/metrics/relevant-items';

const VALUES = [0.5, 1, 2.25, 3, 4.5];
const graded = Interactions.from(VALUES.map((value, item) => ['ann', item, value] as [string, number, number]));

test('gains are 1, the value, or 2^value - 1, of fractions of grades too', () => {
  const gain = { binary: () => 1, linear: (v: number) => v, exponential: (v: number) => 2 ** v - 1 };
  for (const gains of GAINS) {
    const [ann] = runToEnd(relevantUsers(graded, { gains })).users;
    for (const [item, value] of VALUES.entries()) expect(ann!.gains.get(item)).toBeCloseTo(gain[gains](value), 12);
    expect([...ann!.ideal]).toEqual([...ann!.gains.values()].sort((a, b) => b - a));
  }
  const whole = runToEnd(relevantUsers(graded, { gains: 'exponential' })).users[0]!.gains;
  expect([whole.get(1), whole.get(3)]).toEqual([1, 7]);
});

test('what a user has already is counted and not relevant; who is left with nothing is skipped', () => {
  const rows: [string, string, number][] = [
    ['bob', 'tea', 5],
    ['ann', 'tea', 4],
    ['ann', 'milk', 2],
  ];
  const seen = (user: number) => (user === 0 ? [0] : []);
  const found = runToEnd(relevantUsers(Interactions.from(rows), { seen, relevant: (value) => value >= 3 }));
  expect(found.users.map(({ user, gains }) => [user, [...gains]])).toEqual([[1, [[0, 1]]]]);
  expect([found.skipped, found.seen]).toEqual([1, 1]);
});
