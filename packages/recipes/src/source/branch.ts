// git-check-ref-format(1), plus: a leading dash would be read as an option. Quotes, `;` and `$(…)` are legal in names of branches:
// they are passed as arguments and never become shell text.

const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|^[-/.]|[/.]$|^@$/

/** A sentence when git could never have a branch or tag of that name, else undefined. */
export function branchFault(name: string): string | undefined {
  if (name === '') return 'a branch cannot be empty'
  return FORBIDDEN.test(name) ? `${JSON.stringify(name)} cannot be the name of a branch or tag` : undefined
}

/** A sentence when a text is not the full hash of a commit, else undefined. */
export function revisionFault(hash: string): string | undefined {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) return undefined
  return `${JSON.stringify(hash)} is not the full hash of a commit; git rev-parse gives it`
}

/** A sentence when a repository's address would be read as something else, else undefined. */
export function repositoryFault(url: string): string | undefined {
  if (url === '') return 'the address of a repository cannot be empty'
  if (url.startsWith('-'))
    return `${JSON.stringify(url)} starts with a dash, which git would take for an option`
  // `ext::sh -c …` runs a command by design.
  if (/^[a-z]+::/i.test(url))
    return `${JSON.stringify(url)} names a transport helper of git; use ssh, https, git or file`

  return /[\u0000-\u001f\u007f]/.test(url) ? `${JSON.stringify(url)} contains control characters` : undefined
}
