import { PassThrough, Writable } from 'node:stream'
import { runClient } from '../client/command.ts'
import { inDatabase } from '../connection/conninfo.ts'
import type { Server } from './query.ts'

export interface Session {
  /** Gives the session statements, and what they print up to the match; undefined when it ended before. */
  ask(sql: string, pattern: RegExp): Promise<RegExpExecArray | undefined>
  /** Ends it, and throws what it failed with. */
  close(): Promise<void>
}

/** One psql that stays: it reads statements from its input, which is kept open until the session is closed. */
export function openSession({ site, psql, database }: Server): Session {
  const input = new PassThrough()
  let said = ''
  let open = true
  let changed = (): void => undefined
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString('utf8')
      changed()
      done()
    },
  })
  // What breaks the command also destroys these; the command says what it was.
  for (const stream of [input, output]) stream.on('error', () => undefined)
  // One question after the other: an answer has no mark of its question.
  let turn: Promise<unknown> = Promise.resolve()
  const ended = runClient(site, {
    program: psql,
    reads: true,
    args: ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
    connection: inDatabase(site.connection, database),
    readOnly: false,
    input,
    output,
  }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  void ended.then(() => {
    open = false
    changed()
  })
  const stop = (): void => void input.end()
  site.signal.addEventListener('abort', stop, { once: true })
  return {
    ask(sql, pattern) {
      const answer = turn.then(async () => {
        said = ''
        if (!input.writableEnded) input.write(`${sql}\n`)
        for (;;) {
          const match = pattern.exec(said)
          if (match) return match
          if (!open) return undefined
          await new Promise<void>((resolve) => {
            changed = resolve
          })
        }
      })
      turn = answer
      return answer
    },
    async close() {
      site.signal.removeEventListener('abort', stop)
      stop()
      const failure = await ended
      if (failure) throw failure.error
    },
  }
}
