import type { PostgresServer } from '../../../test/servers/postgres.ts'

/** One of everything that a round trip could lose. */
export const SAMPLE = `
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('calm', 'busy');
CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL UNIQUE, mood mood, tags hstore);
CREATE TABLE books (
  id bigserial PRIMARY KEY, author_id int NOT NULL REFERENCES authors, title text, facts jsonb, cover bytea,
  written timestamptz, CHECK (title <> '')
);
CREATE INDEX books_facts ON books USING gin (facts);
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE VIEW titles AS SELECT a.name, b.title FROM books b JOIN authors a ON a.id = b.author_id;
CREATE MATERIALIZED VIEW counts AS SELECT author_id, count(*) FROM books GROUP BY 1;
CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql AS $$ SELECT upper(t) || '!' $$;
CREATE TABLE "odd ""name; DROP" ("a:b" text);
INSERT INTO authors (name, mood, tags)
  SELECT 'author ' || i, 'busy', hstore('nr', i::text) FROM generate_series(1, 20) i;
INSERT INTO books (author_id, title, facts, cover, written)
  SELECT 1 + i % 20, E'title\\t' || i || E'\\n' || chr(228), jsonb_build_object('n', i, 'l', jsonb_build_array(1, null, 'x')),
    decode(md5(i::text), 'hex'), '2025-01-01'::timestamptz + i * interval '1 minute'
  FROM generate_series(1, 500) i;
INSERT INTO events VALUES ('2025-05-05', 'spring');
INSERT INTO "odd ""name; DROP" VALUES (E'\\\\.'), (NULL), ('');
REFRESH MATERIALIZED VIEW counts;
SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex'));
CREATE TABLE ar_internal_metadata (key text PRIMARY KEY, value text);
INSERT INTO ar_internal_metadata VALUES ('environment', 'production');
`

/** Makes a database and fills it. */
export async function makeSample(server: PostgresServer, database: string): Promise<void> {
  await server.psql(`CREATE DATABASE "${database.replaceAll('"', '""')}"`)
  await server.psql(SAMPLE, database)
}
