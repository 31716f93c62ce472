import { defineConfig, Problem, run, task } from 'deployfile'
import * as z from 'zod'

const build = task('build', {
  input: z.object({ mode: z.enum(['dev', 'prod']).default('dev') }),
  async run({ input, local, log }) {
    await local.sh`mkdir -p dist`
    await local.writeFile('dist/index.html', `<h1>${input.mode}</h1>\n`)
    log('built')
    return { dir: 'dist', files: 1 }
  },
})
const upload = task('upload', {
  on: 'web',
  needs: { build },
  async run({ needs, remote }) {
    await remote.remove('site')
    await remote.uploadDir(needs.build.dir, 'site')
    return { bytes: Number(await remote.capture`wc -c < site/index.html`) }
  },
  undo: ({ remote }) => remote.remove('site'),
})

export const config = defineConfig({
  stages: {
    production: {
      protected: true,
      hosts: {
        web1: { transport: 'local', root: 'web1', roles: ['web'] },
        web2: { transport: 'local', root: 'web2', roles: ['web'] },
      },
    },
  },
  tasks: [upload],
})

/** Builds and uploads; tells what happens while it happens, and gives what it did. */
export async function ship(tell: (line: string) => void, cwd: string, signal?: AbortSignal): Promise<number> {
  const handle = run(config, {
    stage: 'production',
    tasks: [upload],
    inputs: { 'build.mode': 'prod' },
    // Typed by a person elsewhere: in a chat, on a web page. Here by nobody.
    confirm: ({ message, answer }) => {
      tell(message)
      return answer
    },
    cwd,
    ...(signal && { signal }),
  })
  for await (const event of handle.events) {
    if (event.type === 'node.log') tell(`${event.node}: ${event.message}`)
    if (event.type === 'node.ended') tell(`${event.node}: ${event.status}`)
  }
  const outcome = await handle.outcome
  if (outcome.status !== 'done') {
    throw new Problem(
      'task',
      'SHIP_FAILED',
      outcome.failures.map(({ problem }) => problem.message).join('; '),
    )
  }
  // Typed: `upload` runs on several hosts, so this is PerHost<{ bytes: number }>.
  return outcome.result(upload).reduce((bytes, { value }) => bytes + value.bytes, 0)
}
