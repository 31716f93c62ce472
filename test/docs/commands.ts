import { deploy, postgres } from 'deployfile/recipes'
import { COMMAND_NAMES } from '../../packages/deployfile/src/cli/command-names.ts'
import { page } from './pages.ts'

const app = deploy({ application: 'shop', repository: 'x', branch: 'main', deployTo: '/srv/shop' })
const db = postgres({ databases: { production: 'postgresql:///shop' }, from: 'production' })

/** The names of all tasks of the recipes. */
export const tasks: ReadonlySet<string> = new Set(
  [app, db].flatMap((recipe) =>
    Object.values(recipe.tasks).map((task: { readonly name: string }) => task.name),
  ),
)

/** As `--help` has them, long and short. */
export const options: ReadonlySet<string> = new Set(
  page('docs/cli-reference.md').match(/(?<=^|[\s,])--?[A-Za-z][a-z-]*/gm),
)

/** Is it `[stage] <task or command>… [key=value…] [options]`, all of it known? What stands behind a command is the command's own. */
export function isCommand(text: string, ownTasks: readonly string[] = []): boolean {
  const words = (text.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).filter((word) => !/^\[.*\]?$/.test(word))
  const [first = ''] = words
  const rest = STAGES.includes(first) ? words.slice(1) : words
  if (COMMAND_NAMES.some((name) => name === rest[0])) return true
  return rest.every((word, index) => {
    if (word.startsWith('-')) return options.has(word.replace(/=.*/, ''))
    // The value of an option, such as `--lock-wait 10m`, or of several words.
    if (rest[index - 1]?.startsWith('-') === true) return true
    return word.includes('=') || tasks.has(word) || ownTasks.includes(word) || /^[<…]/.test(word)
  })
}

const STAGES = ['dev', 'staging', 'production']
