import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  Problem,
  reviveSecrets,
  toRecord,
  type Executor,
  type Job,
  type JobEnd,
  type JobLink,
  type NeedValue,
  type ProblemRecord,
} from '@deployfile/core'
import type { FromWorker, ToWorker } from './messages.ts'

export interface Forked {
  readonly executor: Executor
  readonly pid: number | undefined
  stop(): void
}

/** An executor whose bodies run in another process: jobs, ends, events, questions and calls go between them as JSON. */
export async function forkedExecutor(): Promise<Forked> {
  const child = fork(fileURLToPath(new URL('./worker.mjs', import.meta.url)), { serialization: 'json' })
  const jobs = new Map<number, { readonly link: JobLink; readonly end: (end: JobEnd) => void }>()
  let last = 0
  const send = (message: ToWorker): void => void child.send(message)
  const answer = (ask: number, value: Promise<unknown>): void => {
    value.then(
      (given) => send({ type: 'answered', ask, ...(given !== undefined && { value: given as NeedValue }) }),
      (thrown: unknown) => send({ type: 'answered', ask, problem: toRecord(thrown) }),
    )
  }
  await once(child, 'message')
  child.on('message', (message: FromWorker) => {
    if (message.type === 'ready') return
    const job = jobs.get(message.id)
    if (!job) return
    if (message.type === 'event') job.link.emit(message.event)
    else if (message.type === 'ask') answer(message.ask, job.link.ask(message.question))
    else if (message.type === 'call')
      answer(message.ask, job.link.call(message.task, reviveSecrets(message.input)))
    else if (message.type === 'threw') job.end({ kind: 'threw', thrown: problemOf(message.problem) })
    else {
      const { value, skipped } = message
      job.end({ kind: 'returned', value: reviveSecrets(value), ...(skipped !== undefined && { skipped }) })
    }
  })
  child.on('exit', (_, signal) => {
    const thrown = new Problem('task', 'WORKER_GONE', `the worker ended with ${String(signal)}`)
    for (const { end } of jobs.values()) end({ kind: 'threw', thrown })
  })
  return {
    pid: child.pid,
    stop: () => void child.kill('SIGKILL'),
    executor: {
      enter: (job: Job, link: JobLink) =>
        new Promise<JobEnd>((resolve) => {
          const id = ++last
          const abort = (): void => send({ type: 'abort', id })
          const end = (ended: JobEnd): void => {
            jobs.delete(id)
            link.signal.removeEventListener('abort', abort)
            resolve(ended)
          }
          jobs.set(id, { link, end })
          link.signal.addEventListener('abort', abort)
          send({ type: 'enter', id, job })
        }),
    },
  }
}

function problemOf({ kind, code, message, hint }: ProblemRecord): Problem {
  return new Problem(kind, code, message, { hint })
}
