import { describe, expect, it } from 'vitest'
import { entryCounter, mayTell, SMALL_TALK } from '../../src/client/entries.ts'

// As pg_restore 15 prints it.
const BY_ONE = `pg_restore: connecting to database for restore
pg_restore: creating TYPE "public.mood"
pg_restore: creating TABLE "public.authors"
pg_restore: creating SEQUENCE OWNED BY "public.authors_id_seq"
pg_restore: executing BLOB 16571
pg_restore: processing data for table "public.authors"
pg_restore: executing SEQUENCE SET authors_id_seq
pg_restore: processing BLOBS
pg_restore: restoring large object with OID 16571
pg_restore: restored 1 large object
pg_restore: creating CONSTRAINT "public.authors authors_pkey"`
const BY_JOBS = `pg_restore: connecting to database for restore
pg_restore: processing item 3498 ENCODING ENCODING
pg_restore: processing item 3499 STDSTRINGS STDSTRINGS
pg_restore: processing item 3500 SEARCHPATH SEARCHPATH
pg_restore: processing item 3501 DATABASE a
pg_restore: processing item 914 TYPE mood
pg_restore: creating TYPE "public.mood"
pg_restore: processing item 216 TABLE authors
pg_restore: creating TABLE "public.authors"
pg_restore: entering main parallel loop
pg_restore: launching item 3489 TABLE DATA books
pg_restore: launching item 3487 TABLE DATA authors
pg_restore: processing data for table "public.books"
pg_restore: processing data for table "public.authors"
pg_restore: finished item 3487 TABLE DATA authors
pg_restore: finished main parallel loop`

describe('what pg_restore says while it runs', () => {
  const count = (text: string, jobs: number): number => {
    const { add, done } = entryCounter(jobs)
    text.split('\n').forEach(add)
    return done()
  }
  it('counts the entries that are done: with one job all but the last that it names', () => {
    expect(count(BY_ONE, 1)).toBe(7)
    expect(count('pg_restore: connecting to database for restore', 1)).toBe(0)
  })

  it('with several jobs those that were done before and those that have ended, in whatever order', () => {
    expect(count(BY_JOBS, 4)).toBe(3)
  })

  it('is left out of an error, and errors are not', () => {
    const pattern = new RegExp(SMALL_TALK)
    const said = [...BY_ONE.split('\n'), ...BY_JOBS.split('\n')]
    expect(said.filter((line) => !pattern.test(line))).toEqual([])
    const errors = [
      'pg_restore: error: could not execute query: ERROR:  relation "x" already exists',
      'pg_restore: from TOC entry 3489; 0 16531 TABLE DATA books postgres',
      'pg_restore: detail: creating it failed',
      'Command was: CREATE TABLE x',
    ]
    expect(errors.filter((line) => !pattern.test(line))).toEqual(errors)
  })

  it('is asked for only where it is short enough to be kept', () => {
    expect(mayTell(400, 3000)).toBe(true)
    expect(mayTell(400, 2_000_000)).toBe(false)
  })
})
