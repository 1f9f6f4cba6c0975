// Sets of events (who has what) that defaults are judged on: public ones, the large ones of some of their users, and made clicks.

import { type Interactions, Interactions as Rows, type Split, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../../src/core/random';
import { loadGowalla, loadNcf } from '../implicit/data';

/** What made clicks are like: users choose items by popularity, place^-skew, and taste, of a rank and a strength. */
interface Shape {
  readonly users: number;
  readonly items: number;
  readonly perUser: number;
  readonly rank?: number;
  readonly taste?: number;
  readonly skew?: number;
}

const MADE: Readonly<Record<string, Shape>> = {
  'clicks-2': { users: 3000, items: 600, perUser: 2 },
  'clicks-2-flat': { users: 2000, items: 1000, perUser: 2, skew: 0.3, taste: 0.8 },
  'clicks-8': { users: 1500, items: 500, perUser: 8 },
  'clicks-10-wide': { users: 2500, items: 3000, perUser: 10, rank: 8, taste: 2 },
  'clicks-30-faint': { users: 1000, items: 800, perUser: 30, taste: 0.6 },
  'clicks-30-popular': { users: 1000, items: 1000, perUser: 30, skew: 1.4, taste: 0.4 },
  'clicks-100': { users: 500, items: 1000, perUser: 100 },
  'clicks-200': { users: 400, items: 1500, perUser: 200, rank: 10, taste: 1.5 },
};

/** Clicks of a shape: the first so many of all items by score plus Gumbel noise, which is choosing one after the other. */
function made(name: string, { users, items, perUser, rank = 5, taste = 1.2, skew = 0.8 }: Shape): Interactions {
  const stream = Stream.of(`clicks ${name}`);
  const normals = (count: number) => Float64Array.from({ length: count }, () => stream.normal());
  const [p, q] = [normals(users * rank), normals(items * rank)];
  const rows: [string, string][] = [];
  for (let user = 0; user < users; user++) {
    const count = Math.min(items >> 1, Math.max(2, Math.round(perUser * Math.exp(0.7 * stream.normal()))));
    const keys = Array.from({ length: items }, (_, item) => {
      let dot = 0;
      for (let f = 0; f < rank; f++) dot += p[user * rank + f]! * q[item * rank + f]!;
      const gumbel = -Math.log(-Math.log(stream.uniform() || 0.5));
      return { item, key: -skew * Math.log(item + 5) + (1.5 * taste * dot) / Math.sqrt(rank) + gumbel };
    });
    keys.sort((a, b) => b.key - a.key);
    for (const { item } of keys.slice(0, count)) rows.push([`u${user}`, `i${item}`]);
  }
  return Rows.from(rows);
}

const events = (data: Interactions, isEvent: (value: number) => boolean = () => true) =>
  Rows.from(
    [...data].flatMap(({ userId, itemId, value = 1 }) => (isEvent(value) ? [[userId, itemId] as const] : [])),
    { duplicates: 'last' },
  );

/** A random fifth held out; of the test rows those of 2,000 users. */
function split(data: Interactions, seed: number): Split {
  const { train, test } = splitRandom(data, { testFraction: 0.2, seed });
  return { train, test: ofUsers(test, (place, count) => place < (2000 * count) / Math.max(count, 2000)) };
}

/** The rows of some users, in a random order of them. */
function ofUsers(data: Interactions, isKept: (place: number, count: number) => boolean): Interactions {
  const users = [...new Set([...data].map(({ userId }) => userId))];
  const stream = Stream.of('users');
  for (let k = users.length - 1; k > 0; k--) {
    const other = stream.below(k + 1);
    [users[k], users[other]] = [users[other]!, users[k]!];
  }
  const kept = new Set(users.filter((_, place) => isKept(place, users.length)));
  return events(Rows.from([...data].filter(({ userId }) => kept.has(userId)).map((row) => [row.userId, row.itemId])));
}

/** One of so many users of a split that others made. */
function partOf({ train, test }: Split, part: number): Split {
  const few = ofUsers(train, (place) => place % part === 0);
  const rows = [...test].filter(({ userId }) => few.users.indexOf(userId) !== undefined);
  const own = Rows.from(rows.map(({ userId, itemId }) => [userId, itemId]));
  return { train: few, test: part === 1 ? own : ofUsers(own, (place) => place < 600) };
}

type Load = (seed: number) => Promise<Split>;

const PUBLIC: Readonly<Record<string, (value: number) => boolean>> = {
  'movietweetings-8k': () => true,
  filmtrust: () => true,
  'ml-100k': (value) => value >= 4,
  'ml-latest-small': () => true,
  ciaodvd: () => true,
  'lastfm-hetrec2011': () => true,
  'steam-200k': () => true,
};

/** Splits by name, those that are quick first. */
export const EVENT_SETS: Readonly<Record<string, Load>> = {
  ...Object.fromEntries(
    Object.entries(MADE).map(([name, shape]): [string, Load] => [name, async (seed) => split(made(name, shape), seed)]),
  ),
  ...Object.fromEntries(
    Object.entries(PUBLIC).map(([name, isEvent]): [string, Load] => [
      name,
      async (seed) => split(events(await loadDataset(name), isEvent), seed),
    ]),
  ),
  'gowalla-sixth': async () => partOf(await loadGowalla(), 6),
  'ncf-sixth': async () => partOf(await loadNcf(), 6),
  gowalla: async () => partOf(await loadGowalla(), 1),
  ncf: async () => partOf(await loadNcf(), 1),
};
