import * as z from 'zod'
import { isSecret } from '../secret/secret.ts'
import { parseAddress } from './address.ts'
import type { SudoSpec } from './host.ts'

const NAME = /^[^\s\u0000-\u001f\u007f@/{}]+$/
const PIN = /^SHA256:[A-Za-z0-9+/]{43}=?$/
// A folder that PATH can hold; `~/` is the login's home.
const FOLDER = /^(?:\/|~\/)[^\u0000-\u001f\u007f:]*$/

/** One or a list of texts that all look like this; zod's own union would only say "Invalid input". */
const oneOrMore = (shape: RegExp, message: string, split?: string) =>
  z.custom<string | readonly string[]>((value) => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    const fits = (text: string): boolean => shape.test(text)
    return items.length > 0 && items.every((item) => typeof item === 'string' && all(item, split).every(fits))
  }, message)

const all = (text: string, split: string | undefined): string[] =>
  split === undefined ? [text] : text.split(split)

const sudoSchema = z.custom<true | SudoSpec>((value) => {
  if (value === true) return true
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(([key, secret]) => key === 'password' && isSecret(secret))
}, "sudo is true, or { password: … } with a secret such as secret.env('SUDO_PASSWORD')")

const hostKeysSchema = z.enum(['strict', 'accept-new'])

export const hostSchema = z.strictObject({
  roles: z.array(z.string().regex(NAME, 'a role is one word')),
  address: z
    .string()
    .superRefine((text, context) => {
      const parsed = parseAddress(text)
      if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed })
    })
    .optional(),
  user: z
    .string()
    .regex(
      /^[^-\s\u0000-\u001f\u007f@:'"`$\\;&<>|(){},][^\s\u0000-\u001f\u007f@:'"`$\\;&<>|(){},]*$/,
      'a user is one word without @, : or quotes, not starting with a dash',
    )
    .optional(),
  port: z.number().int().min(1).max(65535).optional(),
  transport: z.enum(['ssh', 'local']).optional(),
  primary: z.boolean().optional(),
  hostKey: oneOrMore(
    PIN,
    'a host key is pinned by its fingerprint, as ssh-keygen -l prints it: SHA256:…',
  ).optional(),
  hostKeys: hostKeysSchema.optional(),
  path: oneOrMore(
    FOLDER,
    'path is a folder or a list of folders, each starting with / or ~/',
    ':',
  ).optional(),
  login: z.boolean().optional(),
  sudo: sudoSchema.optional(),
  root: z.string().min(1).optional(),
  props: z.record(z.string(), z.unknown()).optional(),
})

/** Of a stage, as the first word of a command line and in the ids of nodes. */
export const stageName = z
  .string()
  .regex(
    /^(?!-)[^\s\u0000-\u001f\u007f@/{}=]+$/,
    "a stage's name is one word without @ / { } =, not starting with a dash",
  )

export const stageSchema = z.strictObject({
  protected: z.boolean().optional(),
  hostKeys: hostKeysSchema.optional(),
  hosts: z.record(z.string().regex(NAME, 'a host name is one word without @ / { }'), hostSchema).superRefine(
    // Without an address the name is what ssh is asked for.
    (hosts, context) => {
      for (const [name, { address, transport }] of Object.entries(hosts)) {
        if (address !== undefined || transport === 'local') continue
        const parsed = parseAddress(name)
        if (typeof parsed === 'string') context.addIssue({ code: 'custom', path: [name], message: parsed })
      }
    },
  ),
})
