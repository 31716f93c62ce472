import { createHash } from 'node:crypto'
import { Transform, Writable } from 'node:stream'
import { piecesOf, type Pieces } from './pieces.ts'

export interface Ends<T> {
  /** Writes into the pipe, which it ends when it has ended well, and destroys otherwise. */
  readonly give: (into: Writable) => Promise<unknown>
  /**
   * Reads from the pipe, to the end or not. A command of it gets `stop` as its output, which ends the command even while that takes
   * nothing: when the other end fails, `stop` is destroyed.
   */
  readonly take: (pieces: Pieces, stop: Writable) => Promise<T>
}

export interface Passed {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Runs both ends of a pipe at once. Resolves when both have ended well; when one fails the other is ended, and it rejects, with the
 * first failure, after both are over.
 * @param seen gets the bytes that have passed, as they do
 */
export async function piped<T>(
  { give, take }: Ends<T>,
  seen: (bytes: number) => void,
): Promise<Passed & { result: T }> {
  const hash = createHash('sha256')
  let bytes = 0
  const pipe = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      seen((bytes += chunk.length))
      done(null, chunk)
    },
  })
  const stop = new Writable({ write: (_chunk, _encoding, done) => done() })
  // Who reads or writes them says what is wrong.
  for (const stream of [pipe, stop]) stream.on('error', () => undefined)
  let first: { readonly error: unknown } | undefined
  const fail = (error: unknown): void => {
    first ??= { error }
    const reason = error instanceof Error ? error : new Error(String(error))
    pipe.destroy(reason)
    stop.destroy(reason)
  }
  const pieces = piecesOf(pipe)
  const giving = give(pipe).catch(fail)
  const taking = take(pieces, stop)
    .then(async (result) => {
      // It may have had enough before the end, for which the other one would wait.
      for await (const _ of pieces.rest());
      return { result }
    })
    .catch((error: unknown) => {
      // That of a broken pipe is the other one's failure, which says more.
      if (pipe.errored === null) fail(error)
      return undefined
    })
  await giving
  const taken = await taking
  if (first || !taken) throw first?.error
  return { ...taken, bytes, sha256: hash.digest('hex') }
}
