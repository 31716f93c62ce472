import { rmSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectCopy } from '../../src/config/project-copy.ts'
import { ownVersion } from '../../src/version.ts'
import { cli, type Cli } from '../cli-harness.ts'

const asked = (one: Cli): { readonly copy: string | undefined; readonly said: string } => {
  let said = ''
  const copy = projectCopy(path.join(one.root, 'ops/deploy.config.ts'), { write: (text) => (said += text) })
  return { copy, said }
}

/** A project with a copy of the package of its own. */
const project = (version: string): Cli => {
  const one = cli()
  rmSync(path.join(one.root, 'node_modules'))
  return one
    .file('node_modules/deployfile/package.json', JSON.stringify({ name: 'deployfile', version }))
    .file('node_modules/deployfile/bin/deployfile.js', '')
}

describe('the copy of deployfile that a project has', () => {
  it('is the one that runs, and another version is said', () => {
    const one = project('9.8.7')
    expect(asked(one)).toEqual({
      copy: path.join(one.root, 'node_modules/deployfile/bin/deployfile.js'),
      said: `deployfile: this is version ${ownVersion()}; the project has 9.8.7, and that is what runs\n`,
    })
  })

  it('of the same version runs without a word', () => {
    const one = project(ownVersion())
    expect(asked(one)).toEqual({
      copy: path.join(one.root, 'node_modules/deployfile/bin/deployfile.js'),
      said: '',
    })
  })

  it('is not run when it is this one, or when there is none', () => {
    expect(asked(cli())).toEqual({ copy: undefined, said: '' })
    const bare = cli()
    rmSync(path.join(bare.root, 'node_modules'))
    expect(asked(bare)).toEqual({ copy: undefined, said: '' })
  })
})
