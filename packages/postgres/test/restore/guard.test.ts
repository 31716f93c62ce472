import { describe, expect, it } from 'vitest'
import { judgeTarget, refuseProductionStage, type TargetFacts } from '../../src/restore/guard.ts'

const target: TargetFacts = {
  database: 'app_dev',
  stage: 'dev',
  host: 'localhost',
  transport: 'local',
  identity: { system: '1', oid: 10 },
}
const production = (system: string, oid: number) => [
  { stage: 'production', database: 'app_production', identity: { system, oid } },
]
const decide = (facts: Partial<TargetFacts>, known = production('9', 90)) => {
  try {
    const question = judgeTarget({ ...target, ...facts }, known)
    return question === undefined ? 'go' : `ask ${question.answer}`
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('who may be restored onto', () => {
  const remote = { transport: 'ssh', stage: 'staging', database: 'app_staging' } as const
  it.each([
    ['one’s own machine', {}, production('9', 90), 'go'],
    [
      'a database that does not exist yet, here',
      { identity: { system: '1', oid: null } },
      production('9', 90),
      'go',
    ],
    ['another machine', remote, production('9', 90), 'ask app_staging'],
    ["production's server, another database", {}, production('1', 11), 'ask app_dev'],
    [
      "production's server, a database to be made",
      { identity: { system: '1', oid: null } },
      production('1', 11),
      'ask app_dev',
    ],
    ['production itself, on whatever name', {}, production('1', 10), 'RESTORE_ONTO_PRODUCTION'],
    ['production itself, remote', remote, production('1', 10), 'RESTORE_ONTO_PRODUCTION'],
    [
      'one of several productions',
      {},
      [...production('9', 90), ...production('1', 10)],
      'RESTORE_ONTO_PRODUCTION',
    ],
    ['the same oid on another server', {}, production('2', 10), 'go'],
    ['a target that does not tell', { identity: null }, production('9', 90), 'IDENTITY_UNKNOWN'],
    ['no known production', {}, [], 'PRODUCTION_UNKNOWN'],
    ['neither known', { identity: null }, [], 'IDENTITY_UNKNOWN'],
  ])('%s', (_, facts, known, verdict) => {
    expect(decide(facts, known)).toBe(verdict)
  })

  it('says why it asks', () => {
    const question = judgeTarget(target, production('1', 11))
    expect(question?.message).toContain('on the same server as the database of production (app_production)')
    expect(question?.message).toContain('everything in it now is lost')
  })
})

describe('refuseProductionStage', () => {
  it('refuses the stage that backups come from, and protected ones', () => {
    expect(() => refuseProductionStage({ name: 'production', protected: false }, 'production')).toThrow(
      'never restored onto',
    )
    expect(() => refuseProductionStage({ name: 'eu', protected: true }, 'production')).toThrow(
      'it is protected',
    )
    expect(() => refuseProductionStage({ name: 'dev', protected: false }, 'production')).not.toThrow()
  })
})
