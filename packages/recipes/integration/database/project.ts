import { randomBytes } from 'node:crypto'
import {
  defineConfig,
  execute,
  loadCatalog,
  resolvePlan,
  type HostSpec,
  type Question,
  type RunEvent,
  type RunOutcome,
} from '@deployfile/core'
import { postgres, type PostgresOptions } from '@deployfile/recipes'
import { createShells, dryShells } from '@deployfile/shell'

export interface ProjectOptions {
  readonly root: string
  readonly databases: PostgresOptions['databases']
  readonly hosts?: Readonly<Record<string, HostSpec>>
  readonly sshConfig?: string
  /** Besides production. */
  readonly protectedStage?: 'staging'
  readonly options?: Partial<PostgresOptions<'dev' | 'staging' | 'production'>>
  /** Types the answer, or something else; absent: nobody is there. */
  readonly answer?: (question: Question) => string
  /** Says what it would do. */
  readonly dryRun?: boolean
}

export interface ProjectRun {
  readonly outcome: RunOutcome
  readonly logs: readonly string[]
  readonly questions: readonly Question[]
  readonly events: readonly RunEvent[]
  /** The first failure in words. */
  readonly failure: string
  readonly result: (task: string) => unknown
}

export type Command = readonly [stage: string, task: string, inputs?: Readonly<Record<string, string>>]

/** A project with a dev, a staging and a production database, and a way to run its tasks as the command line does. */
export function project(
  options: ProjectOptions,
): (command: Command, signal?: AbortSignal) => Promise<ProjectRun> {
  const here: HostSpec = { transport: 'local', roles: ['db'] }
  const catalog = loadCatalog(
    defineConfig({
      stages: {
        dev: { hosts: { localhost: here } },
        staging: {
          protected: options.protectedStage === 'staging',
          hosts: { staging1: options.hosts?.staging ?? here },
        },
        production: { protected: true, hosts: { db1: options.hosts?.production ?? here } },
      },
      use: [
        postgres({
          databases: options.databases,
          from: 'production',
          application: 'shop',
          ...options.options,
        }),
      ],
    }),
  )
  return async ([stage, task, inputs = {}], signal = new AbortController().signal) => {
    const plan = resolvePlan(catalog, { stage, tasks: [task], inputs })
    const { root, sshConfig, dryRun = false } = options
    const real = createShells({ root, ...(sshConfig !== undefined && { sshConfig }) })
    const shells = dryRun ? dryShells(real, root) : real
    const events: RunEvent[] = []
    const questions: Question[] = []
    const startedAt = new Date()
    const time = startedAt.toISOString().replace(/[-:.]/g, '')
    try {
      const outcome = await execute(plan, {
        catalog,
        shells,
        run: { id: `${time}-${randomBytes(2).toString('hex')}`, startedAt, user: 'test', root },
        ask(question) {
          questions.push(question)
          return options.answer?.(question) === question.answer
            ? Promise.resolve()
            : Promise.reject(new Error('not confirmed'))
        },
        ...{ signal, dryRun },
        onEvent: (event) => events.push(event),
      })
      return {
        outcome,
        questions,
        events,
        logs: events.flatMap((event) => (event.type === 'node.log' ? [event.message] : [])),
        failure: outcome.failures.map(({ node, problem }) => `${node}: ${problem.message}`).join('\n'),
        result: (name) => [...outcome.nodes].find(([id]) => id.startsWith(`${name}@`))?.[1].result,
      }
    } finally {
      await shells.close()
    }
  }
}
