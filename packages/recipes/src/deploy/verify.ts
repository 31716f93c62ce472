import { setTimeout as pause } from 'node:timers/promises'
import { milliseconds, Problem, toRecord } from '@deployfile/core'
import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import { runUserCommand } from './user-command.ts'

/**
 * Tries until it is well, or there are no attempts left.
 * @throws Problem `NOT_HEALTHY` (task) with what the last attempt saw
 */
export async function verifyRelease(context: OnHost, options: StageOptions): Promise<void> {
  const { verify } = options
  if (!verify) return
  const { host, remote, signal, log } = context
  const { current } = await locate(remote, options.deployTo)
  const { attempts = 10, wait = '2s', timeout = '10s' } = verify
  const expected = [
    ...(verify.contains === undefined ? [] : [verify.contains]),
    ...(verify.revision === true ? [await remote.capture`cat ${`${current}/REVISION`}`] : []),
  ]
  const limit = milliseconds(timeout) ?? 0
  for (let attempt = 1; ; attempt++) {
    try {
      if (verify.url !== undefined) await askUrl(verify.url, expected, limit, signal)
      if (verify.command !== undefined) await runCheck(context, current, verify.command, limit)
      return
    } catch (cause) {
      if (signal.aborted) throw cause
      const { message, command } = toRecord(cause)
      const what = `${host.name}: the application is not healthy: ${message.replace(`${host.name}: `, '')}`
      if (attempt >= attempts) {
        const hint = `${String(attempts)} ${attempts === 1 ? 'attempt was' : 'attempts were'} made.`
        throw new Problem('task', 'NOT_HEALTHY', what, { host: host.name, hint, command, cause })
      }
      log(`attempt ${String(attempt)} of ${String(attempts)}: ${message}`)
    }
    await pause(milliseconds(wait) ?? 0, undefined, { signal })
  }
}

/** As much of an answer as is read. */
const ANSWER_LIMIT = 1024 * 1024

async function askUrl(
  url: string,
  expected: readonly string[],
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(limit)
  let response: Response
  try {
    response = await fetch(url, {
      signal: AbortSignal.any([signal, late]),
      headers: { 'user-agent': 'deployfile', 'cache-control': 'no-cache' },
    })
    const body = await readBody(response)
    if (!response.ok)
      throw new Error(`${url} answers ${String(response.status)} ${response.statusText}`.trim())
    const missing = expected.find((text) => !body.includes(text))
    if (missing !== undefined) throw new Error(`the answer of ${url} does not contain ${missing}`)
  } catch (cause) {
    if (signal.aborted) throw cause
    if (late.aborted) throw new Error(`${url} did not answer within ${String(limit / 1000)} s`, { cause })
    throw told(url, cause)
  }
}

/** fetch says "fetch failed", and why only in its cause. */
function told(url: string, cause: unknown): Error {
  const inner = cause instanceof Error ? cause.cause : undefined
  if (!(inner instanceof Error)) return cause instanceof Error ? cause : new Error(String(cause))
  const why = inner.message === '' ? String((inner as NodeJS.ErrnoException).code) : inner.message
  return new Error(`${url} cannot be reached: ${why}`, { cause })
}

async function readBody({ body }: Response): Promise<string> {
  if (!body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > ANSWER_LIMIT) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function runCheck(context: OnHost, current: string, command: string, limit: number): Promise<void> {
  const remote = context.remote.with({ timeout: limit })
  await runUserCommand({ remote, host: context.host }, current, {
    ...{ command, what: 'the check', code: 'NOT_HEALTHY' },
    hint: `It ran in ${current}.`,
  })
}
