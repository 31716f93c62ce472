import { spawnSync } from 'node:child_process'

/**
 * `repository` of a package, by where this clone comes from: `npm publish --provenance` refuses a package that does not name the
 * repository that it is built in, and each fork has its own. Nothing where that is a folder.
 */
export function repositoryField(root, directory) {
  const { stdout } = spawnSync('git', ['config', '--get', 'remote.origin.url'], {
    cwd: root,
    encoding: 'utf8',
  })
  const url = publicUrl((stdout ?? '').trim())
  return url === undefined ? {} : { repository: { type: 'git', url: `git+${url}`, directory } }
}

/** As everybody reads it: without the login, the port and the way of whoever cloned it. */
export function publicUrl(remote) {
  const [, host, path] =
    /^(?:https?|ssh|git):\/\/(?:[^/@]*@)?([^/:@]+)(?::\d+)?\/(.+)$/.exec(remote) ??
    // A folder may have a colon, too, but behind its first slash.
    /^(?:[^/@:]*@)?([^/:@]+\.[^/:@]+):(?!\/\/)\/?(.+)$/.exec(remote) ??
    []
  return host === undefined ? undefined : `https://${host}/${path.replace(/(?:\.git)?\/?$/, '')}.git`
}
