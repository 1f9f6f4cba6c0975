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
    const page = await database.query(
      'SELECT seq, user_id, item_id, value FROM events WHERE seq > $1 ORDER BY seq LIMIT $2',
      [lastSeq, PAGE],
    );
    for (const { user_id, item_id, value } of page) {
      userIds.push(user_id);
      itemIds.push(item_id);
      values.push(value);
    }
    if (page.length > 0) lastSeq = Number(page.at(-1).seq);
    if (page.length < PAGE) return { ratings: Interactions.fromColumns({ userIds, itemIds, values }), lastSeq };
  }
}
