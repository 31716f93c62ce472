import {
  all,
  isSecret,
  Problem,
  reveal,
  secret,
  task,
  type AnyTask,
  type Catalog,
  type Secret,
} from '@deployfile/core'
import * as z from 'zod'
import { catalogOf } from '../../plan/catalog-of.ts'

// What both processes have: the same config.
const build = task('build', {
  run: ({ log, progress, run }) => {
    log(`built by ${String(process.pid)}`)
    progress(1, 2)
    return { dir: 'dist', year: run.startedAt.getUTCFullYear() }
  },
})
const upload = task('upload', {
  on: 'web',
  needs: { build },
  run: ({ needs, host }) => ({ at: `${host.name}:${needs.build.dir}` }),
})
export const flow = task('flow', {
  needs: { upload: all(upload), build },
  run: ({ needs }) => ({
    all: needs.upload.map(({ host, value }) => [host.roles.includes('web'), value.at]),
    year: needs.build.year,
  }),
})

const made = task('made', {
  run: () => ({ n: 7 }),
  undo: ({ result, outcome, log, failures }) => {
    log(`${String(result?.n)} ${outcome} ${String(failures[0]?.problem.code)}`)
  },
  finally: ({ log }) => {
    log('last')
  },
})
export const fails = task('fails', {
  needs: { made },
  run: () => {
    throw new Problem('check', 'NO_ROOM', 'the disk is full', { hint: 'Make room.' })
  },
})

export const skips = task('skips', { run: ({ skip }) => skip('nothing to do', 3) })

export const hangs = task('hangs', {
  timeout: 50,
  run: ({ signal }) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('stopped'))
      })
    }),
})

export const waits = task('waits', {
  run: ({ signal, log }) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('stopped'))
      })
      log('waiting')
    }),
})

export const asks = task('asks', {
  run: async ({ confirm }) => {
    await confirm({ message: 'Sure?', answer: 'yes' })
    return 'confirmed'
  },
})

const helper = task('helper', { input: z.object({ n: z.number() }), run: ({ input }) => input.n * 2 })
export const calls = task('calls', { run: async ({ call }) => ({ twice: await call(helper, { n: 21 }) }) })

const login = task('login', {
  input: z.object({ token: z.custom<Secret>(isSecret) }),
  run: ({ input }) => ({ session: input.token }),
})
export const secrets = task('secrets', {
  needs: { login: login.with({ token: secret.env('WORKER_TEST_TOKEN') }) },
  run: ({ needs }) => reveal(needs.login.session).length,
})

export const dies = task('dies', {
  run: () => {
    process.kill(process.pid, 'SIGKILL')
    return new Promise<void>(() => undefined)
  },
})

const tasks: readonly AnyTask[] = [flow, fails, skips, hangs, waits, asks, calls, helper, secrets, dies]
export const catalog: Catalog = catalogOf({ tasks })
