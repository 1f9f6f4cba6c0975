// Writes events. Requests that come while an insert is under way share the next one (a group commit), and each is
// answered after the commit. An event whose id is there already is not written again: a client may send anything twice.

const INSERT = `INSERT INTO events (id, user_id, item_id, value, at)
  SELECT id, user_id, item_id, value, to_timestamp(at)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[]) AS t (id, user_id, item_id, value, at)
  ON CONFLICT (id) DO NOTHING RETURNING id`;
/** Events an insert. */
const BATCH = 5000;
/** Events that may wait; more are refused. */
const LIMIT = 50_000;

export class EventWriter {
  #database;
  #waiting = [];
  #waitingEvents = 0;
  #isWriting = false;

  constructor(database) {
    this.#database = database;
  }

  /** Resolves, once the events are committed, to how many of them are new. */
  write(events) {
    if (this.#waitingEvents + events.length > LIMIT) {
      return Promise.reject(Object.assign(new Error('too many events are waiting; send later'), { statusCode: 503 }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      this.#waitingEvents += events.length;
      if (!this.#isWriting) this.#writeAll();
    });
  }

  async #writeAll() {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const requests = [];
      let count = 0;
      while (this.#waiting.length > 0 && (count === 0 || count + this.#waiting[0].events.length <= BATCH)) {
        requests.push(this.#waiting.shift());
        count += requests.at(-1).events.length;
      }
      this.#waitingEvents -= count;
      try {
        const added = await this.#insert(requests.flatMap(({ events }) => events));
        // Of two requests with one new event the first has added it.
        for (const { events, resolve } of requests) resolve(events.filter(({ id }) => added.delete(id)).length);
      } catch (error) {
        for (const { reject } of requests) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #insert(events) {
    const now = Date.now() / 1000;
    const rows = await this.#database.query(INSERT, [
      events.map(({ id }) => id),
      events.map(({ userId }) => userId),
      events.map(({ itemId }) => itemId),
      events.map(({ value = 1 }) => value),
      events.map(({ timestamp = now }) => timestamp),
    ]);
    return new Set(rows.map(({ id }) => id));
  }
}
