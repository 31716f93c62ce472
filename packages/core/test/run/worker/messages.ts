import type { BodyEvent, Job, NeedValue, ProblemRecord, Question } from '@deployfile/core'

/** To the worker. All of it is sent as JSON. */
export type ToWorker =
  | { readonly type: 'enter'; readonly id: number; readonly job: Job }
  | { readonly type: 'abort'; readonly id: number }
  | {
      readonly type: 'answered'
      readonly ask: number
      readonly value?: NeedValue
      readonly problem?: ProblemRecord
    }

/** From the worker. */
export type FromWorker =
  /** It can be sent jobs. */
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly id: number; readonly event: BodyEvent }
  | { readonly type: 'ask'; readonly id: number; readonly ask: number; readonly question: Question }
  | {
      readonly type: 'call'
      readonly id: number
      readonly ask: number
      readonly task: string
      readonly input?: unknown
    }
  | { readonly type: 'returned'; readonly id: number; readonly value?: unknown; readonly skipped?: string }
  | { readonly type: 'threw'; readonly id: number; readonly problem: ProblemRecord }
