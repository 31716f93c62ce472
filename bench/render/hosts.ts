// `npm run bench:render [-- rounds hosts]`: what the tree on a terminal costs a run of many hosts: the whole process, in a terminal of
// 120x40 that somebody reads, against the same run that shows failures only. Measured on the package as it is published.
import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { compare, print } from '../shell/ratio.ts'

const [rounds = 5, hosts = 1000] = process.argv.slice(2).map(Number)
const execute = promisify(execFile)
const TASKS = 12
const PAUSE = 50
const AT_ONCE = 100

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deployfile-render-')))
try {
  const { stageProject } = (await import(pathToFileURL(join(root, 'scripts/pack/project.mjs')).href)) as {
    stageProject: (root: string, folder: string) => Promise<string>
  }
  const bin = await stageProject(root, folder)
  writeFileSync(join(folder, 'deploy.config.mjs'), config())
  rmSync(join(folder, 'deploy.config.ts'), { force: true })
  const run = (renderer: readonly string[]) => async (): Promise<void> => {
    const line = ['node', bin, ...renderer, '--concurrency', String(AT_ONCE), 'last']
      .map((word) => `'${word}'`)
      .join(' ')
    // `script` is the terminal, and reads it as one does.
    const args = ['-qec', `stty rows 40 cols 120; exec ${line}`, '/dev/null']
    await execute('script', args, { cwd: folder, maxBuffer: 1e9 })
  }
  const floor = (hosts * TASKS * PAUSE) / AT_ONCE
  const figures = await compare(rounds, [
    { name: 'failures only (--quiet)', run: run(['--quiet']) },
    { name: 'tree', run: run(['--renderer=tree']) },
  ])
  print(
    `${String(hosts)} hosts × ${String(TASKS)} tasks of ${String(PAUSE)} ms, ${String(AT_ONCE)} at once`,
    figures,
  )
  console.log(`  the pauses alone: ${floor.toFixed(0)} ms; the tree may cost 1.1 of the quiet run`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function config(): string {
  return `import { defineConfig, task } from 'deployfile'
const pause = () => new Promise((resolve) => setTimeout(resolve, ${String(PAUSE)}))
const tasks = []
for (let at = 1; at <= ${String(TASKS)}; at++)
  tasks.push(task(at === ${String(TASKS)} ? 'last' : \`step\${at}\`, { on: 'all', needs: tasks.length > 0 ? { before: tasks.at(-1) } : {}, run: pause }))
const hosts = Object.fromEntries(Array.from({ length: ${String(hosts)} }, (_, at) => [\`host\${at + 1}\`, { transport: 'local', roles: ['all'] }]))
export default defineConfig({ stages: { many: { hosts } }, defaultStage: 'many', tasks })
`
}
