// Whether pgvector orders items as recommend does: the first ten for 100 users, by both kinds of index, with settings under
// which an index is exact. On a server of its own where there is one with pgvector, else on PGlite. Run: npm run order

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OverparamMF, syntheticInteractions } from 'opmf';
import { openDatabase } from '../database.js';
import { writeVectors } from '../vectors.js';
import { startPostgres } from './postgres.js';
import { writeResult } from './results.js';

const [USERS, N] = [100, 10];
/** Scores that are nearer than this (float32 sums in another order) may stand either way. */
const TIE = 1e-5;
const SHAPE = { users: 5000, items: 20_000, ratings: 500_000 };
const MODEL = { rank: 64, epochs: 5 };
const SETTINGS = { 'hnsw.ef_search': 1000, 'ivfflat.probes': 20, enable_seqscan: 'off' };

const log = { warn: (_, text) => console.warn(text) };
const model = new OverparamMF(MODEL);
await model.fit(syntheticInteractions(SHAPE));
const { users } = model.exportVectors();
const asked = Array.from({ length: USERS }, (_, k) => users.ids[Math.floor((k * users.ids.length) / USERS)]);

const postgres = await startPostgres();
for (const where of postgres ? ['server', 'pglite'] : ['pglite']) {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-order-'));
  const options = Object.entries(SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
  const url = where === 'server' ? `${postgres.url}?options=${encodeURIComponent(options.join(' '))}` : undefined;
  const database = await openDatabase({ url, folder, log });
  if (database.hasVectors) {
    if (!url) for (const [name, value] of Object.entries(SETTINGS)) await database.query(`SET ${name} = ${value}`);
    const [{ extversion }] = await database.query("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
    const kinds = {};
    for (const kind of ['hnsw', 'ivfflat']) kinds[kind] = await compare(database, kind);
    writeResult(`order: ${where}`, {
      pgvector: extversion,
      data: SHAPE,
      model: MODEL,
      n: N,
      settings: SETTINGS,
      kinds,
    });
  }
  await database.close();
  rmSync(folder, { recursive: true });
}
postgres?.remove();

async function compare(database, kind) {
  const begun = performance.now();
  await writeVectors(database, model, kind);
  const seconds = (performance.now() - begun) / 1000;
  // Sorted once more by id: an ORDER BY of both would not use the index.
  const query = `SELECT id FROM (
      SELECT id, embedding <#> (SELECT embedding FROM user_vectors WHERE id = $1) AS distance
      FROM item_vectors ORDER BY distance LIMIT ${N}
    ) AS nearest ORDER BY distance, id`;
  const plan = JSON.stringify(await database.query(`EXPLAIN ${query.replace('$1', `'${asked[0]}'`)}`));
  let [same, sameButTies] = [0, 0];
  for (const userId of asked) {
    const found = (await database.query(query, [userId])).map(({ id }) => id);
    const list = model.recommend(userId, { n: N, filterSeen: false });
    // Where another item stands, its score must be the same but for rounding.
    const isTied = list.every(({ itemId, score }, at) => {
      if (found[at] === itemId) return true;
      return (
        found[at] !== undefined &&
        Math.abs(model.recommend(userId, { n: 1, filterSeen: false, candidates: [found[at]] })[0].score - score) < TIE
      );
    });
    if (list.every(({ itemId }, at) => found[at] === itemId)) same++;
    if (isTied) sameButTies++;
  }
  return {
    users: USERS,
    same,
    sameButTies,
    usesIndex: /Index Scan using item_vectors\w*embedding_idx/.test(plan),
    writeSeconds: Number(seconds.toFixed(1)),
  };
}
