import type { PostgresServer } from '../../test/servers/postgres.ts'

/** Rows of one megabyte on the disk, indexes included. */
const ROWS = 3_700

/** Tables like those of an app: numbers and text, jsonb with an index, bytes that nothing makes smaller, a foreign key, a view of sums. */
export async function fill(server: PostgresServer, database: string, megabytes: number): Promise<void> {
  const rows = megabytes * ROWS
  await server.psql(
    `CREATE TABLE customers AS SELECT i AS id, md5(i::text) AS name, now() - i * interval '1 minute' AS since
       FROM generate_series(1, ${Math.ceil(rows / 20)}) i;
     ALTER TABLE customers ADD PRIMARY KEY (id);
     CREATE TABLE orders AS SELECT i AS id, 1 + i % ${Math.ceil(rows / 20)} AS customer, (i % 10007) * 7 AS cents,
         md5((i * 31)::text) || ' ' || repeat('ordered ', i % 12) AS note
       FROM generate_series(1, ${rows}) i;
     ALTER TABLE orders ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer) REFERENCES customers;
     CREATE INDEX ON orders (customer);
     CREATE TABLE events AS SELECT i AS id, jsonb_build_object('kind', i % 40, 'key', md5(i::text), 'tags', jsonb_build_array(i % 7, i % 11)) AS facts
       FROM generate_series(1, ${Math.ceil(rows / 5)}) i;
     CREATE INDEX ON events USING gin (facts);
     CREATE TABLE files AS SELECT i AS id, decode(repeat(md5(i::text) || md5((i * 3)::text), 30), 'hex') || sha512(i::text::bytea) AS bytes
       FROM generate_series(1, ${Math.ceil(rows / 50)}) i;
     CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(cents) FROM orders GROUP BY 1`,
    database,
  )
  await server.psql('VACUUM ANALYZE', database)
}
