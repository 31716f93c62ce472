import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'

const POLICY = '/usr/sbin/policy-rc.d'
const FORBIDDEN = 101 // what invoke-rc.d and deb-systemd-invoke read as "action forbidden by policy"
const MARK = '# made by deployfile\'s "npm test" while it installs packages; safe to remove'

/** Debian's packages ask this file before they start a service. Returns how to take it away again. */
export function forbidStarts() {
  if (isThere(POLICY) && !isOurs(POLICY)) {
    const { status } = spawnSync(POLICY, ['ssh', 'start'], { stdio: 'ignore' })
    if (status === FORBIDDEN) return () => undefined
    throw new Error(
      `${POLICY} exists and lets services start, so packages can't be installed quietly. Install them by hand, or move it away.`,
    )
  }
  writeFileSync(POLICY, `#!/bin/sh\n${MARK}\nexit ${FORBIDDEN}\n`, { mode: 0o755 })
  return () => rmSync(POLICY, { force: true })
}

const CLUSTERS = '/etc/postgresql-common/createcluster.conf'
const FOLDER = '/etc/postgresql-common/createcluster.d'

/** postgresql-common must be there: its settings are read when the server package is configured, just after this. */
export function forbidClusters() {
  const includes = /^\s*include_dir\s*=?\s*'\/etc\/postgresql-common\/createcluster\.d'/m
  if (!existsSync(CLUSTERS) || !includes.test(readFileSync(CLUSTERS, 'utf8'))) {
    throw new Error(
      `${CLUSTERS} does not include ${FOLDER}, so a database cluster would be made. Install postgresql by hand, ` +
        `with create_main_cluster = false in ${CLUSTERS}.`,
    )
  }
  const madeFolder = !existsSync(FOLDER)
  if (madeFolder) mkdirSync(FOLDER)
  const file = `${FOLDER}/zz-deployfile-tests.conf`
  writeFileSync(file, `${MARK}\ncreate_main_cluster = false\n`)
  return () => {
    rmSync(file, { force: true })
    if (madeFolder) rmdirSync(FOLDER)
  }
}

/** What a killed run left is known by its mark: it is used, and then removed like our own. */
function isOurs(file) {
  return lstatSync(file).isFile() && readFileSync(file, 'utf8').includes(MARK)
}

/** A link that leads nowhere is there, too: writing through it would make a file somewhere else. */
function isThere(file) {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}
