import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { didYouMean, Problem } from '@deployfile/core'
import { wordsOf, type Given } from './given.ts'
import { print, type Terminal } from '../cli/terminal.ts'
import { CONFIG_NAMES } from '../config/find.ts'
import { KEYS, loadCheck, type CheckAnswer, type Key } from './init-check.ts'
import { configText, folderOf, type Answers } from './init-config.ts'
import { readProject } from './init-project.ts'

const HELP = `Usage: deployfile init [key=value…] [options]

Writes a deploy.config.ts for the project in this folder. What is not given is read from package.json, the git remote, a
Gemfile and the files of Capistrano, then asked on a terminal.

  application=NAME        default: the name in package.json, or the folder's
  repository=URL          default: the remote 'origin'
  branch=NAME             default: the branch that is checked out
  host=ADDRESS            of production; several with commas: deploy@web1.example.com,web2.example.com
  deploy_to=FOLDER        default: /var/www/<application>
  database=URL            of production, as its database host sees it; without it no database tasks are written
  -y, --yes               ask nothing
  --json                  print what would be written, as JSON, and write nothing

A config that is there already is never overwritten.
`

/** `init`. Returns the exit code. */
export async function initCommand({ line, terminal, cwd }: Given): Promise<number> {
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  const given = readGiven(wordsOf('init', line.words).after)
  const there = CONFIG_NAMES.map((name) => path.join(cwd, name)).find((file) => existsSync(file))
  if (there !== undefined) {
    throw new Problem('usage', 'CONFIG_EXISTS', `${there} is there already`, {
      hint: 'Edit it, or move it away first. deployfile -T lists what it has.',
    })
  }
  const project = await readProject(cwd)
  const check = await loadCheck()
  refuseUnfit(check, given)
  const found = { ...project.answers, ...given }
  const answers = await ask(found, given, line.yes ? undefined : terminal, check)
  refuseUnfit(check, answers)
  const file = path.join(cwd, 'deploy.config.ts')
  const text = configText(answers)
  if (line.json) {
    print(terminal, [JSON.stringify({ file, found: project.found, answers, text }, null, 2)])
    return 0
  }
  // Between the look above and now somebody may have written one.
  writeFileSync(file, text, { flag: 'wx' })
  const guessed = [
    ...(answers.repository === undefined ? ['repository'] : []),
    ...(answers.branch === undefined ? ['branch'] : []),
    ...(answers.host === undefined || answers.stages !== undefined ? ['hosts'] : []),
  ]
  const wanting =
    guessed.length === 0 ? [] : ['', `Before the first deploy, put these into it: ${guessed.join(', ')}.`]
  print(terminal, [
    `Wrote ${file}`,
    ...project.found.map((one) => `  from ${one}`),
    ...wanting,
    '',
    'Next:',
    '  npx deployfile -T                          what there is to run',
    '  npx deployfile doctor                      whether the hosts are ready',
    '  npx deployfile production deploy --plan    what a deploy would do',
  ])
  return 0
}

function readGiven(words: readonly string[]): Partial<Answers> {
  const given: Record<string, string> = {}
  for (const word of words) {
    const [, key = '', value = ''] = /^(?:--)?([\w-]+)=([^]*)$/.exec(word) ?? []
    const name = KEYS.find((one) => one === key.replaceAll('-', '_'))
    if (name === undefined) {
      throw new Problem('usage', 'WORD_UNKNOWN', `'init' does not know '${word}'`, {
        hint: [didYouMean(key, KEYS), `It takes ${KEYS.map((one) => `${one}=…`).join(' ')}`]
          .filter(Boolean)
          .join(' '),
      })
    }
    if (value === '') {
      throw new Problem('usage', 'INPUT_WITHOUT_VALUE', `${name}= has no value`, {
        hint: `Write ${name}=…, or leave it out.`,
      })
    }
    given[name] = value
  }
  return given
}

/** @throws Problem `ANSWER_INVALID` (usage) about the first one that no config may have */
function refuseUnfit(check: CheckAnswer, answers: Partial<Answers>): void {
  for (const key of KEYS) {
    const answer = answers[key]
    const fault = answer === undefined ? undefined : check(key, answer)
    if (fault === undefined) continue
    throw new Problem('usage', 'ANSWER_INVALID', `${key}= does not fit: ${fault}`, {
      hint: `Nothing was written. Give another one: deployfile init ${key}=…`,
    })
  }
}

const QUESTIONS: Readonly<Record<Key, string>> = {
  application: 'What is the application called?',
  repository: 'Which git repository is deployed? (empty: later)',
  branch: 'Which branch goes to production?',
  host: 'On which host does production run? (several with commas; empty: later)',
  deploy_to: 'In which folder on the host?',
  database: 'Which PostgreSQL database does production have, as a URL? (empty: none)',
}

async function ask(
  found: Answers,
  given: Partial<Answers>,
  terminal: Terminal | undefined,
  check: CheckAnswer,
): Promise<Answers> {
  const { askText } = terminal ?? {}
  if (!askText) return found
  let answers: Answers = found
  for (const key of KEYS) {
    if (given[key] !== undefined) continue
    // Nothing is found of them, but something has to be written: better what is seen first.
    const preset = key === 'branch' ? 'main' : key === 'deploy_to' ? folderOf(answers) : undefined
    const typed = await askText(QUESTIONS[key], answers[key] ?? preset, (text) =>
      text.trim() === '' ? undefined : check(key, text.trim()),
    )
    if (typed === undefined) {
      throw new Problem('check', 'NOT_CONFIRMED', 'nothing was written: the question was not answered', {
        hint: 'Run it again, or give the answers: deployfile init --help',
      })
    }
    // Without a name there is nothing to deploy.
    const text = typed.trim() === '' && key === 'application' ? found.application : typed.trim()
    answers = { ...answers, [key]: text === '' ? undefined : text }
  }
  return answers
}
