import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeSite, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

describe('in a namespace, what is told to be typed has the prefix', () => {
  const run = (task: string, options = {}, isProtected = false) =>
    site.run(task, { prefix: 'api', options, isProtected })

  it('when deploys are locked', async () => {
    const locked = await run('api:deploy:lock')
    expect(locked.logs.join('\n')).toContain('npx deployfile production api:deploy:unlock')
    const refused = await run('api:deploy')
    expect(refused.hints).toEqual(['When that is over: npx deployfile production api:deploy:unlock'])
  })

  it('when a release that is not healthy stays', async () => {
    expect((await run('api:deploy')).problems).toEqual([])
    site.git.commit({ 'app.txt': 'two' })
    const ran = await run('api:deploy', { restart: 'exit 1', onUnhealthy: 'stop' })
    expect(ran.hints[0]).toContain('npx deployfile production api:deploy:restart')
    expect(ran.hints[0]).toContain('npx deployfile production api:deploy:rollback')
  })

  it('when a plan is refused', async () => {
    const uploads = { linkedDirs: ['log'], uploads: ['log'] }
    await expect(run('api:shared:push', uploads, true)).rejects.toMatchObject({
      details: { hint: 'To bring those of production here: npx deployfile production api:shared:pull' },
    })
  })
})
