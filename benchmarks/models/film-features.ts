// What MovieLens 100K knows of its films and its users, as tables.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { categorical, FeatureTable, multiValued, numeric } from 'opmf';
import { filesOf } from '../files-of';

const find = filesOf('ml-100k', undefined);
const lines = (name: string) => {
  const bytes = readFileSync(find(name));
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1');
  return text.trim().split(/\r?\n/);
};

const genres = lines('u.genre').map((line) => line.split('|')[0]!);

/** The decade and the genres of each film. */
export const itemFeatures = FeatureTable.from(
  lines('u.item').map((line) => {
    const [film, , released, , , ...flags] = line.split('|');
    return {
      film,
      decade: released === '' ? undefined : `${released!.slice(-4, -1)}0`,
      genres: genres.filter((_, g) => flags[g] === '1'),
    };
  }),
  { id: 'film', fields: { decade: categorical(), genres: multiValued() } },
);

/** The age, gender and occupation of each user. */
export const userFeatures = FeatureTable.from(
  lines('u.user').map((line) => {
    const [user, age, gender, occupation] = line.split('|');
    return { user, age: Number(age), gender, occupation };
  }),
  { id: 'user', fields: { age: numeric(), gender: categorical(), occupation: categorical() } },
);
