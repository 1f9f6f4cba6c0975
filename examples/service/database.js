// The database: a PostgreSQL server at a URL, or PGlite (PostgreSQL in WebAssembly) in a folder, on a thread of its own so
// that no query holds up a request. Both have query(sql, values), which resolves to the rows once they are committed, and
// close(). `grant()` is what another thread needs to open the same database: [value, transferList].

import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import pg from 'pg';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    seq bigserial, id text PRIMARY KEY, user_id text NOT NULL, item_id text NOT NULL,
    value double precision NOT NULL, at timestamptz NOT NULL
  );
  CREATE INDEX IF NOT EXISTS events_seq ON events (seq);
  CREATE INDEX IF NOT EXISTS events_user ON events (user_id, seq);
  CREATE TABLE IF NOT EXISTS items (id text PRIMARY KEY, category text, in_stock boolean NOT NULL);
  CREATE TABLE IF NOT EXISTS trainings (
    at timestamptz NOT NULL DEFAULT now(), events integer NOT NULL, last_seq bigint NOT NULL, seconds real NOT NULL
  )`;

export async function openDatabase({ url, folder, log }) {
  const database = url ? openServer(url, log) : await startPGlite(folder, log);
  await database.query(SCHEMA);
  try {
    await database.query('CREATE EXTENSION IF NOT EXISTS vector');
    database.hasVectors = true;
  } catch (error) {
    log.warn({ err: error }, 'no pgvector: vectors are not written; install the extension, or set VECTOR_INDEX=none');
  }
  return database;
}

/** Opens the database of a `grant()`, on another thread. */
export function openGranted({ url, port }) {
  return url ? openServer(url, console) : overPort(port);
}

function openServer(url, log) {
  // Calls fail rather than wait where the server is away; the pool connects anew by itself.
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 2000, keepAlive: true });
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  return {
    query: async (sql, values) => (await pool.query(sql, values)).rows,
    grant: () => [{ url }, []],
    close: () => pool.end(),
  };
}

async function startPGlite(folder, log) {
  mkdirSync(folder, { recursive: true });
  const thread = new Worker(new URL('database-thread.js', import.meta.url), { workerData: { folder } });
  const failed = once(thread, 'error').then(([error]) => Promise.reject(error));
  await Promise.race([once(thread, 'message'), failed]); // It is open.
  failed.catch((error) => {
    log.fatal({ err: error }, 'the database thread has ended');
    process.exit(1);
  });
  const grant = () => {
    const { port1, port2 } = new MessageChannel();
    thread.postMessage(port1, [port1]);
    return [{ port: port2 }, [port2]];
  };
  const database = overPort(grant()[0].port);
  const close = async () => {
    const ended = once(thread, 'exit');
    thread.postMessage('close');
    await ended;
    database.close();
  };
  return { ...database, grant, close };
}

/** Queries as messages: [number, sql, values] there, [number, rows, error] back. */
function overPort(port) {
  const waiting = new Map();
  let next = 0;
  port.on('message', ([number, rows, error]) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(Object.assign(new Error(error.message), error));
    else resolve(rows);
  });
  return {
    query: (sql, values) =>
      new Promise((resolve, reject) => {
        waiting.set(next, { resolve, reject });
        port.postMessage([next++, sql, values]);
      }),
    close: () => port.close(),
  };
}
