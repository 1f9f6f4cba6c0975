// Sets of ratings that defaults are judged on: public ones, values that are no ratings, and made ones of other shapes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Interactions, Interactions as Rows } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../../src/core/random';

/** What a made set is like: users, items, ratings a user in the mean, and the parts of a rating. */
interface Shape {
  readonly users: number;
  readonly items: number;
  readonly perUser: number;
  readonly rank?: number;
  /** Standard deviations of user and item biases, of their interaction and of noise, on a scale of -1.6 to 1.6. */
  readonly userBias?: number;
  readonly itemBias?: number;
  readonly structure?: number;
  readonly noise?: number;
  readonly low?: number;
  readonly high?: number;
  readonly step?: number;
  /** Items are drawn in proportion to 1 / place^skew. */
  readonly skew?: number;
}

/** A set of a shape; ratings are clipped to its scale and rounded to its steps. */
export function made(name: string, shape: Shape): Interactions {
  const { users, items, perUser, rank = 5, userBias = 0.3, itemBias = 0.4, structure = 0.5, noise = 0.8 } = shape;
  const { low = 1, high = 5, step = 1, skew = 1 } = shape;
  const stream = Stream.of(`made ${name}`);
  const normals = (count: number, scale = 1) => Float64Array.from({ length: count }, () => scale * stream.normal());
  const [p, q] = [normals(users * rank), normals(items * rank)];
  const [ofUsers, ofItems] = [normals(users, userBias), normals(items, itemBias)];
  const cumulative = new Float64Array(items);
  for (let item = 0, sum = 0; item < items; item++) cumulative[item] = sum += 1 / (item + 1) ** skew;
  const rows: [string, string, number][] = [];
  for (let user = 0; user < users; user++) {
    const count = Math.min(items, Math.max(2, Math.round(perUser * Math.exp(0.7 * stream.normal()))));
    const own = new Set<number>();
    for (let tries = 0; own.size < count && tries < 50 * count; tries++) {
      const at = stream.uniform() * cumulative[items - 1]!;
      let [from, to] = [0, items - 1];
      while (from < to) {
        const middle = (from + to) >> 1;
        if (cumulative[middle]! < at) from = middle + 1;
        else to = middle;
      }
      own.add(from);
    }
    for (const item of own) {
      let dot = 0;
      for (let f = 0; f < rank; f++) dot += p[user * rank + f]! * q[item * rank + f]!;
      const score =
        0.2 + ofUsers[user]! + ofItems[item]! + (dot * structure) / Math.sqrt(rank) + noise * stream.normal();
      const value = (low + high) / 2 + ((high - low) / 2) * Math.max(-1, Math.min(1, score / 1.6));
      rows.push([`u${user}`, `i${item}`, Math.round(value / step) * step]);
    }
  }
  return Rows.from(rows);
}

const PUBLIC = ['filmtrust', 'movietweetings-8k', 'ciaodvd', 'ml-latest-small', 'ml-100k', 'ml-1m'];

/** Values that are no ratings: play counts, and hours played. Of files whose columns are user, item and value. */
const COUNTS = {
  'lastfm-hetrec2011': 'lastfm-hetrec2011/user_artists.dat.gz',
  'steam-200k': 'steam-200k/game_play.dat.gz',
};

function counts(file: string): Interactions {
  const lines = gunzipSync(readFileSync(join(process.env.OPMF_DATA!, file)))
    .toString('latin1')
    .trim()
    .split('\n');
  const rows = lines.slice(1).map((line) => line.trim().split('\t'));
  return Rows.from(rows.map(([user, item, value]) => [user!, item!, Number(value)]));
}

const MADE: Readonly<Record<string, Shape>> = {
  jester: {
    users: 2500,
    items: 100,
    perUser: 45,
    skew: 0.3,
    low: -10,
    high: 10,
    step: 1 / 32,
    userBias: 0.5,
    itemBias: 0.3,
  },
  noisy: { users: 400, items: 300, perUser: 8, userBias: 0.15, itemBias: 0.15, structure: 0.15, noise: 1.2 },
  tiny: { users: 120, items: 80, perUser: 12, itemBias: 0.3, structure: 0.3, noise: 0.9 },
  sparse: { users: 6000, items: 5000, perUser: 6, userBias: 0.4, structure: 0.3, high: 10 },
  half: {
    users: 1500,
    items: 1200,
    perUser: 40,
    userBias: 0.4,
    structure: 0.6,
    noise: 0.5,
    low: 0.5,
    step: 0.5,
  },
  clean: { users: 1000, items: 800, perUser: 60, rank: 8, itemBias: 0.3, structure: 0.8, noise: 0.3 },
  large: { users: 3000, items: 2500, perUser: 60, rank: 10, userBias: 0.35, itemBias: 0.35, structure: 0.45 },
};

/** Sets by name, those that are quick first. */
export const RATING_SETS: Readonly<Record<string, () => Promise<Interactions>>> = {
  ...Object.fromEntries(Object.entries(MADE).map(([name, shape]) => [name, async () => made(name, shape)])),
  ...Object.fromEntries(PUBLIC.map((name) => [name, () => loadDataset(name)])),
  ...Object.fromEntries(Object.entries(COUNTS).map(([name, file]) => [name, async () => counts(file)])),
};
