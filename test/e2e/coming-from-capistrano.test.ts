import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeIn, page } from '../docs/declared.ts'
import { requireService, servicesFound } from '../servers/service.ts'
import { tempFolder } from '../servers/temp.ts'
import { start } from './command.ts'

describe.runIf(servicesFound('capistrano'))('docs/coming-from-capistrano.md', () => {
  test('names every task and every variable that Capistrano itself lists', async () => {
    const folder = tempFolder('capfile')
    try {
      const config = join(folder.path, 'config/deploy')
      mkdirSync(config, { recursive: true })
      writeFileSync(join(config, 'production.rb'), '')
      writeFileSync(join(folder.path, 'config/deploy.rb'), '')
      const parts = ['setup', 'deploy', 'scm/git'].map((part) => `require 'capistrano/${part}'\n`)
      writeFileSync(join(folder.path, 'Capfile'), `${parts.join('')}install_plugin Capistrano::SCM::Git\n`)
      const cap = async (...args: readonly string[]): Promise<string> => {
        const env = { ...process.env, LC_ALL: 'C.UTF-8' }
        const ended = await start(requireService('capistrano'), args, { cwd: folder.path, env }).ended
        expect(ended, ended.output).toMatchObject({ code: 0 })
        return ended.stdout
      }
      const [listed, told] = await Promise.all([cap('-AT'), cap('production', 'doctor:variables')])
      const tasks = [...listed.matchAll(/^cap (\S+)/gm)].map(([, name = '']) => name)
      const variables = [...told.matchAll(/^\s+(:\w+)\s/gm)].map(([, name = '']) => name)
      expect(tasks.length).toBeGreaterThan(40)
      expect(variables.length).toBeGreaterThan(10)
      const said = new Set(codeIn(page('docs/coming-from-capistrano.md')))
      const about = (name: string): boolean => said.has(name) || said.has(`cap ${name}`)
      // The stage of this Capfile is a task, too.
      expect([...tasks, ...variables].filter((name) => !about(name) && name !== 'production')).toEqual([])
    } finally {
      await folder.remove()
    }
  })
})
