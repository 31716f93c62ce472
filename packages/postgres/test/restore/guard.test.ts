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
    const { question, forceSafety } = judgeTarget({ ...target, ...facts }, known)
    expect(forceSafety).toBe(false)
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
    const { question } = judgeTarget(target, production('1', 11))
    expect(question?.message).toContain('on the same server as the database of production (app_production)')
    expect(question?.message).toContain('everything in it now is lost')
  })
})

describe('a stage that the config lets be recovered', () => {
  const live = { ...target, stage: 'production', database: 'app_production', transport: 'ssh' } as const

  it('is asked for by name, and backed up first', () => {
    const verdict = judgeTarget(live, production('1', 10), ['production'])
    expect(verdict.forceSafety).toBe(true)
    expect(verdict.question?.answer).toBe('app_production')
    // On a new server after the old one burnt down, and on this machine, too.
    const elsewhere = { ...live, transport: 'local', identity: { system: '7', oid: null } } as const
    expect(judgeTarget(elsewhere, production('1', 10), ['production']).forceSafety).toBe(true)
  })

  it('is no way for another stage to lead there', () => {
    expect(() => judgeTarget(target, production('1', 10), ['production'])).toThrow('is never restored onto')
    expect(() => judgeTarget(target, production('1', 10), ['dev'])).toThrow('is never restored onto')
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
    const production = { name: 'production', protected: true }
    expect(() => refuseProductionStage(production, 'production', ['eu'])).toThrow('never restored onto')
    expect(() => refuseProductionStage(production, 'production', ['production'])).not.toThrow()
  })
})
