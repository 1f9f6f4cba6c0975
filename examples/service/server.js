// Starts the service, configured by the environment (README.md), and stops it on SIGTERM or SIGINT.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createApp } from './app.js';
import { openDatabase } from './database.js';
import { seedIfEmpty } from './seed.js';

const env = process.env;
const folder = env.DATA_DIR ?? fileURLToPath(new URL('data', import.meta.url));
const config = {
  logLevel: env.LOG_LEVEL ?? 'info',
  modelPath: join(folder, 'model.safetensors'),
  modelOptions: JSON.parse(env.MODEL_OPTIONS ?? '{}'),
  vectorIndex: env.VECTOR_INDEX ?? 'hnsw',
  trainAfterEvents: Number(env.TRAIN_AFTER_EVENTS ?? 1000),
  trainEveryHours: Number(env.TRAIN_EVERY_HOURS ?? 24),
};

const logger = pino({ level: config.logLevel });
const database = await openDatabase({ url: env.DATABASE_URL, folder: join(folder, 'postgres'), log: logger });
if (env.SEED !== 'off') await seedIfEmpty(database, logger);
const app = await createApp({ database, config, logger });

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    logger.info({ signal }, 'stopping: requests are finished, then the training thread and the database end');
    await app.close();
  });
}
await app.listen({ port: Number(env.PORT ?? 3000), host: env.HOST ?? '127.0.0.1' });
