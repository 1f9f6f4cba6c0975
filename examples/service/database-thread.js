// Holds PGlite. Answers queries that come over ports; a query is answered once it is committed (relaxedDurability: false).

import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { giveWay } from './give-way.js';

giveWay();
const database = await PGlite.create(workerData.folder, { extensions: { vector }, relaxedDurability: false });

parentPort.on('message', async (message) => {
  if (message === 'close') {
    await database.close();
    process.exit(); // Of the thread.
  }
  message.on('message', async ([number, sql, values]) => {
    try {
      // Several statements are one transaction, as with a server.
      const { rows } = values ? await database.query(sql, values) : (await database.exec(sql)).at(-1);
      message.postMessage([number, rows]);
    } catch ({ message: text, code }) {
      message.postMessage([number, undefined, { message: text, code }]);
    }
  });
});
parentPort.postMessage('open');
