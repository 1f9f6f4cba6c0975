// The service: its routes over a database, and a trainer with the model that answers.

import Fastify, { LogController } from 'fastify';
import { OptionError, UnknownIdError } from 'opmf';
import { EventWriter } from './event-writer.js';
import { createMetrics } from './metrics.js';
import { Trainer } from './trainer.js';

/** Of a user that the model does not know, so many of the last events are folded in. */
const LAST_EVENTS = 100;

// PostgreSQL has no NUL in text.
const id = { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]+$' };
const n = { type: 'string', pattern: '^[1-9][0-9]{0,2}$', default: '10' };
const object = (properties, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const scored = (name) => ({ type: 'array', items: object({ itemId: { type: 'string' }, [name]: { type: 'number' } }) });

const EVENTS = {
  type: 'array',
  minItems: 1,
  maxItems: 1000,
  items: object(
    {
      id,
      userId: id,
      itemId: id,
      value: { type: 'number', minimum: -1e6, maximum: 1e6 },
      timestamp: { type: 'number', minimum: 0, maximum: 253_402_300_799 },
    },
    ['id', 'userId', 'itemId'],
  ),
};

export async function createApp({ database, config, logger }) {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: config.logLevel !== 'debug' }),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    routerOptions: { maxParamLength: 600 },
  });
  const metrics = createMetrics();
  const events = new EventWriter(database);
  /** Items with what requests filter by. */
  const items = new Map();
  /** Masks of the model that answers, by filter. */
  let masks = new Map();
  const trainer = new Trainer({ ...config, database, log: app.log, onTrained });

  function onTrained({ events: count, seconds }) {
    masks = new Map();
    metrics.trainings.inc();
    metrics.trainingSeconds.set(seconds);
    metrics.modelEvents.set(count);
  }

  for (const row of await database.query('SELECT id, category, in_stock FROM items')) {
    items.set(row.id, { category: row.category ?? undefined, inStock: row.in_stock });
  }

  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.requests.observe({ route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });

  app.setErrorHandler((error, request, reply) => {
    if (error instanceof UnknownIdError) return reply.code(404).send(new Error(error.message));
    if (error instanceof OptionError) return reply.code(400).send(new Error(error.message));
    if (error.statusCode < 500) return reply.send(error);
    request.log.error({ err: error }, 'a request failed');
    // What has no status comes from the database: it may be back soon, and an event may be sent twice.
    if (!error.statusCode) reply.header('retry-after', 1);
    return reply
      .code(error.statusCode ?? 503)
      .send(new Error(error.statusCode ? error.message : 'the database is away'));
  });

  /** The model that answers. */
  function served() {
    if (trainer.model) return trainer.model;
    throw Object.assign(new Error('no model is trained yet: send events, then POST /train'), { statusCode: 503 });
  }

  /** The options of recommend: a mask is made once a filter and model. */
  function filter(model, { category, inStock }) {
    if (category === undefined && inStock === undefined) return {};
    const key = JSON.stringify([category, inStock]);
    let candidates = masks.get(key);
    if (!candidates) {
      const isWanted = (item) =>
        (category === undefined || item.category === category) &&
        (inStock === undefined || String(item.inStock) === inStock);
      const ids = [...items].filter(([, item]) => isWanted(item)).map(([itemId]) => itemId);
      candidates = model.itemMask(ids);
      // What matches nothing is not kept: anyone may ask for any category.
      if (ids.length > 0) masks.set(key, candidates);
    }
    return { candidates };
  }

  app.post('/events', { schema: { body: EVENTS } }, async ({ body }) => {
    const added = await events.write(body);
    metrics.events.inc({ result: 'added' }, added);
    metrics.events.inc({ result: 'known' }, body.length - added);
    trainer.add(added);
    return { added, known: body.length - added };
  });

  const item = object({ category: { ...id, type: ['string', 'null'] }, inStock: { type: 'boolean' } }, ['inStock']);
  app.put('/items/:id', { schema: { params: object({ id }), body: item } }, async ({ params, body }) => {
    const { category, inStock } = body;
    await database.query(
      `INSERT INTO items (id, category, in_stock) VALUES ($1, $2, $3)
       ON CONFLICT (id) DO UPDATE SET category = excluded.category, in_stock = excluded.in_stock`,
      [params.id, category ?? null, inStock],
    );
    items.set(params.id, { category: category ?? undefined, inStock });
    masks = new Map();
    return { id: params.id, category, inStock };
  });

  app.get(
    '/users/:id/recommendations',
    {
      schema: {
        params: object({ id }),
        querystring: object({ n, category: id, inStock: { enum: ['true', 'false'] } }, []),
        response: { 200: object({ userId: id, basis: { type: 'string' }, items: scored('score') }) },
      },
    },
    async ({ params: { id: userId }, query }) => {
      const model = served();
      const options = { n: Number(query.n), ...filter(model, query) };
      if (!model.knows(userId)) {
        const folded = await recommendNew(model, userId, options);
        if (folded) return { userId, basis: 'last events', items: folded };
      }
      const list = model.recommend(userId, options);
      return { userId, basis: list.basis, items: list };
    },
  );

  /** For a user that came after the training; undefined without events on items of the model. */
  async function recommendNew(model, userId, options) {
    let rows;
    try {
      rows = await database.query(
        'SELECT item_id AS "itemId", value FROM events WHERE user_id = $1 ORDER BY seq DESC LIMIT $2',
        [userId, LAST_EVENTS],
      );
    } catch (error) {
      app.log.warn({ err: error }, 'no events can be read: a new user gets popular items');
      return undefined;
    }
    if (rows.length === 0) return undefined;
    const folded = model.foldInUser(rows.reverse());
    return folded.ignored < rows.length ? folded.recommend(options) : undefined;
  }

  app.get(
    '/items/:id/similar',
    { schema: { params: object({ id }), querystring: object({ n }, []) } },
    async ({ params, query }) => ({
      itemId: params.id,
      items: served().similarItems(params.id, { n: Number(query.n) }),
    }),
  );

  app.get(
    '/users/:id/explanations/:item',
    { schema: { params: object({ id, item: id }), querystring: object({ n }, []) } },
    async ({ params, query }) => {
      const because = served().explain(params.id, params.item, { n: Number(query.n) });
      return { userId: params.id, itemId: params.item, because };
    },
  );

  app.post('/train', async (_request, reply) => {
    trainer.train();
    return reply.code(202).send({ training: true });
  });

  app.get('/health', async (_request, reply) => {
    let isDatabaseUp = true;
    await database.query('SELECT 1').catch(() => {
      isDatabaseUp = false;
    });
    const { model, events: trainedOn, trainedAt, pending, isTraining, swaps } = trainer;
    if (!model) reply.code(503);
    return {
      status: !model ? 'no model' : isDatabaseUp ? 'ok' : 'database away',
      database: isDatabaseUp,
      model: model ? { events: trainedOn, trainedAt, swaps } : null,
      pendingEvents: pending,
      training: isTraining,
    };
  });

  app.get('/metrics', async (_request, reply) => {
    metrics.pendingEvents.set(trainer.pending);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  // Fastify stops listening and finishes requests first.
  app.addHook('onClose', async () => {
    await trainer.stop();
    await database.close();
  });

  await trainer.start();
  metrics.modelEvents.set(trainer.events);
  return app;
}
