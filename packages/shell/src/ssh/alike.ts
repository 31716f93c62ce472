import { readFile } from 'node:fs/promises'
import { namesHost } from './known-hosts.ts'

/** Which hosts a config treats alike, so that what ssh says of one of them holds for the others. */
export interface Alike {
  /** Equal for two aliases when the same lines of the config apply to both; undefined when that cannot be told. */
  kindOf(alias: string): string | undefined
  /** Whether what ssh said holds for others too: no value in it was made from the host's own name. */
  holds(said: string): boolean
}

/** Plain names: what ssh does not rewrite (upper case, short forms of addresses), and no pattern reads otherwise. */
const PLAIN = /^[a-z_][a-z0-9_.-]*$|^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/

/** Keywords whose values may contain `%` because nothing here reads them. */
const UNREAD = /^(controlpath|localcommand|remotecommand|setenv|localforward|remoteforward)$/

/**
 * Undefined when the answer depends on more than the patterns of `Host` lines: on programs (`Match`), on the network
 * (CanonicalizeHostname), or on a line that is not plain. Then each host is asked about.
 * @param files all files that ssh has read; in blocks that do not apply too, so that their `Host` lines are all there
 */
export async function readAlike(files: readonly string[]): Promise<Alike | undefined> {
  if (files.length === 0) return undefined
  const patterns: string[] = []
  const hostnames = new Set<string>()
  /** Keywords with a value like `%h`; some of them ssh prints replaced. */
  const named = new Set<string>()
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    for (const line of text.split('\n')) {
      const found = /^\s*([a-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(line)
      if (!found) {
        if (/^\s*(#|$)/.test(line)) continue
        return undefined
      }
      const [, keyword = '', value = ''] = found
      const key = keyword.toLowerCase()
      if (key === 'match' ? !/^all$/i.test(value) : key === 'canonicalizehostname' && !/^no$/i.test(value))
        return undefined
      if (value.includes('%') && !UNREAD.test(key)) named.add(key)
      if (key === 'hostname') hostnames.add(value.toLowerCase())
      if (key !== 'host') continue
      if (/["'\\#,|]/.test(value)) return undefined
      patterns.push(value.split(/\s+/).join(','))
    }
  }
  return {
    kindOf(alias) {
      // A name that is also somebody's HostName could not be told from one that stands for itself.
      if (!PLAIN.test(alias) || hostnames.has(alias)) return undefined
      return patterns.map((names) => (namesHost(names, alias) ? '1' : '0')).join('')
    },
    holds: (said) => said.split('\n').every((line) => !named.has(line.split(' ', 1)[0]?.toLowerCase() ?? '')),
  }
}

/** What ssh said of one host, as it would have said it of another of the same kind. */
export function sayOf(alias: string, said: string, of: string): string {
  return said
    .replace(new RegExp(`^hostname ${of.replaceAll('.', '\\.')}$`, 'm'), `hostname ${alias}`)
    .replace(new RegExp(`^host ${of.replaceAll('.', '\\.')}$`, 'm'), `host ${alias}`)
}
