// One training, on a thread of its own: reads the events, fits, saves the model file atomically, writes the vectors.

import { parentPort, workerData } from 'node:worker_threads';
import { Interactions, OverparamMF } from 'opmf';
import { saveModel } from 'opmf/node';
import { openGranted } from './database.js';
import { giveWay } from './give-way.js';
import { writeVectors } from './vectors.js';

/** Events a query. */
const PAGE = 20_000;

giveWay();
const { grant, modelPath, options, vectorIndex } = workerData;
const database = openGranted(grant);
const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;

const { ratings, lastSeq } = await readEvents();
if (ratings.size > 0) {
  const model = new OverparamMF(options);
  await model.fit(ratings);
  await saveModel(modelPath, model);
  parentPort.postMessage({ events: ratings.size, lastSeq, seconds: seconds() });
  if (vectorIndex !== 'none') {
    await writeVectors(database, model, vectorIndex);
    parentPort.postMessage({ vectors: vectorIndex, seconds: seconds() });
  }
}
await database.close();

/** All events, by pages in the order in which they came: of a user's events on one item the last counts. */
async function readEvents() {
  const [userIds, itemIds, values] = [[], [], []];
  let lastSeq = 0;
  for (;;) {
    // A page is one row of columns, which is several times as fast as rows of objects.
    const [page] = await database.query(
      `SELECT max(seq) AS last, array_agg(user_id) AS users, array_agg(item_id) AS items, array_agg(value) AS values
       FROM (SELECT * FROM events WHERE seq > $1 ORDER BY seq LIMIT $2) AS page`,
      [lastSeq, PAGE],
    );
    if (page.last === null) break;
    lastSeq = Number(page.last);
    for (const user of page.users) userIds.push(user);
    for (const item of page.items) itemIds.push(item);
    for (const value of page.values) values.push(value);
  }
  return { ratings: Interactions.fromColumns({ userIds, itemIds, values }), lastSeq };
}
