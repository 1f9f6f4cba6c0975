// The vectors of users and items in pgvector. The inner product orders items as recommend does:
// SELECT id FROM item_vectors ORDER BY embedding <#> (SELECT embedding FROM user_vectors WHERE id = $1) LIMIT 10

/** How an index is made, by kind. */
const INDEX = {
  hnsw: () => 'hnsw (embedding vector_ip_ops) WITH (m = 16, ef_construction = 64)',
  // The number of lists that pgvector's documentation recommends up to a million rows.
  ivfflat: (rows) => `ivfflat (embedding vector_ip_ops) WITH (lists = ${Math.max(1, Math.round(rows / 1000))})`,
};
/** Rows a statement. */
const ROWS = 1000;

/** Writes tables beside those in use, and then puts them in their place in one transaction: readers see all or nothing new. */
export async function writeVectors(database, model, kind) {
  const tables = model.exportVectors();
  for (const [side, { ids, dim, values }] of [
    ['item', tables.items],
    ['user', tables.users],
  ]) {
    const table = `${side}_vectors`;
    await database.query(
      `DROP TABLE IF EXISTS ${table}_new; CREATE TABLE ${table}_new (id text PRIMARY KEY, embedding vector(${dim}) NOT NULL)`,
    );
    for (let from = 0; from < ids.length; from += ROWS) {
      const part = ids.slice(from, from + ROWS);
      const vectors = part.map((_, at) => `[${values.subarray((from + at) * dim, (from + at + 1) * dim).join(',')}]`);
      await database.query(
        `INSERT INTO ${table}_new SELECT id, text::vector FROM unnest($1::text[], $2::text[]) AS t (id, text)`,
        [part, vectors],
      );
    }
    await database.query(`CREATE INDEX ON ${table}_new USING ${INDEX[kind](ids.length)}`);
    await database.query(`ANALYZE ${table}_new`);
  }
  await database.query(
    ['item', 'user']
      .map((side) => `DROP TABLE IF EXISTS ${side}_vectors; ALTER TABLE ${side}_vectors_new RENAME TO ${side}_vectors`)
      .join('; '),
  );
}
