import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isProblem, type Finding } from '@deployfile/core'
import type { Given } from './given.ts'
import { count } from '../render/duration.ts'
import type { Place } from '../run/work.ts'
import { ownVersion } from '../version.ts'

/** A finding, and of what: `this machine`, `the config` or a host's name. */
export interface Found extends Finding {
  readonly where: string
}

const HERE = 'this machine'

export async function checkMachine(): Promise<readonly Found[]> {
  const programs = await Promise.all([
    program('git', ['--version'], 'wrong', 'Install git: sudo apt-get install git'),
    program(
      'ssh',
      ['-V'],
      'doubtful',
      'Only `deployfile ssh HOST` needs it: sudo apt-get install openssh-client',
    ),
    program('pg_dump', ['--version'], 'doubtful', NEED_PG),
    program('psql', ['--version'], 'doubtful', NEED_PG),
  ])
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOld = major < 20 || (major === 20 && minor < 19)
  return [
    { where: HERE, what: 'deployfile', state: 'well', said: ownVersion() },
    {
      where: HERE,
      what: 'Node',
      state: isOld ? 'wrong' : 'well',
      said: process.version,
      ...(isOld && { hint: 'Install Node 20.19 or newer.' }),
    },
    ...programs,
  ]
}

const NEED_PG = 'Databases that are reached from here need it: sudo apt-get install postgresql-client'

async function program(
  name: string,
  args: readonly string[],
  missing: 'wrong' | 'doubtful',
  hint: string,
): Promise<Found> {
  try {
    const { stdout, stderr } = await promisify(execFile)(name, args, { timeout: 10_000 })
    const [said = ''] = (stdout || stderr).trim().split('\n')
    return { where: HERE, what: name, state: 'well', said }
  } catch {
    return { where: HERE, what: name, state: missing, said: 'not found', hint }
  }
}

/** Whether the config loads. What is wrong with it is a finding like any other: the rest is looked at all the same. */
export async function checkConfig(
  given: Given,
): Promise<{ readonly place?: Place; readonly findings: readonly Found[] }> {
  const where = 'the config'
  try {
    const place = await given.open()
    const { tasks, stages } = place.catalog
    const hosts = [...stages.values()].reduce((sum, stage) => sum + stage.hosts.length, 0)
    const said = [count(tasks.size, 'task'), count(stages.size, 'stage'), count(hosts, 'host')].join(', ')
    return {
      place,
      findings: [{ where, what: 'loads', state: 'well', said: `${place.config ?? ''}: ${said}` }],
    }
  } catch (thrown) {
    if (!isProblem(thrown)) throw thrown
    const { hint, location } = thrown.details
    const at = location ? `${location.file}:${String(location.line)}: ` : ''
    const missing = thrown.code === 'CONFIG_MISSING'
    const advice = missing ? 'Write one: deployfile init' : hint
    const state = missing ? 'doubtful' : 'wrong'
    return {
      findings: [
        {
          where,
          what: 'loads',
          state,
          said: at + thrown.message,
          ...(advice !== undefined && { hint: advice }),
        },
      ],
    }
  }
}
