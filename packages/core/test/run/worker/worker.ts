import {
  localExecutor,
  Problem,
  reviveSecrets,
  toRecord,
  type Job,
  type JobLink,
  type NeedValue,
} from '@deployfile/core'
import { noShells } from '../run-plan.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { catalog } from './tasks.ts'

// Enters bodies that another process sends, and sends back what comes of them.
const executor = localExecutor(catalog, noShells)
const running = new Map<number, AbortController>()
const asked = new Map<number, { resolve: (value: NeedValue) => void; reject: (reason: Problem) => void }>()
let asks = 0

const send = (message: FromWorker): void => void process.send?.(message)

function request(make: (ask: number) => FromWorker): Promise<NeedValue> {
  const ask = ++asks
  return new Promise((resolve, reject) => {
    asked.set(ask, { resolve, reject })
    send(make(ask))
  })
}

function linkFor(id: number, signal: AbortSignal): JobLink {
  return {
    signal,
    emit: (event) => send({ type: 'event', id, event }),
    ask: async (question) => {
      await request((ask) => ({ type: 'ask', id, ask, question }))
    },
    call: (task, input) => request((ask) => ({ type: 'call', id, ask, task, input })),
  }
}

async function enter(id: number, sent: Job): Promise<void> {
  const own = new AbortController()
  running.set(id, own)
  const job = reviveSecrets(sent) as Job
  const end = await executor.enter(job, linkFor(id, own.signal))
  running.delete(id)
  if (end.kind === 'threw') send({ type: 'threw', id, problem: toRecord(end.thrown) })
  else {
    const { value, skipped } = end
    send({ type: 'returned', id, value, ...(skipped !== undefined && { skipped }) })
  }
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'enter') void enter(message.id, message.job)
  else if (message.type === 'abort') running.get(message.id)?.abort()
  else {
    const { ask, value, problem } = message
    const waits = asked.get(ask)
    asked.delete(ask)
    if (problem) waits?.reject(new Problem(problem.kind, problem.code, problem.message, problem))
    else waits?.resolve((reviveSecrets(value) ?? { kind: 'one', value: undefined }) as NeedValue)
  }
})
send({ type: 'ready' })
