// Made-up events and items for an empty database, so that the service answers at once.

import { syntheticInteractions } from 'opmf';
import { EventWriter } from './event-writer.js';

const CATEGORIES = ['books', 'films', 'games', 'music'];

export async function seedIfEmpty(database, log) {
  const [{ count }] = await database.query('SELECT count(*) FROM (SELECT 1 FROM events LIMIT 1) AS first');
  if (Number(count) > 0) return;
  const data = syntheticInteractions({ users: 500, items: 400, ratings: 20_000 });
  log.info({ events: data.size }, 'the database is empty: made-up events are written (SEED=off leaves it empty)');
  const itemIds = [...data.items];
  await database.query(
    'INSERT INTO items SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[]) ON CONFLICT DO NOTHING',
    [itemIds, itemIds.map((_, at) => CATEGORIES[at % 4]), itemIds.map((_, at) => at % 5 > 0)],
  );
  const events = Array.from(data, ({ userId, itemId, value }, at) => ({ id: `seed-${at}`, userId, itemId, value }));
  const writer = new EventWriter(database);
  for (let from = 0; from < events.length; from += 5000) await writer.write(events.slice(from, from + 5000));
}
