import * as z from 'zod'
import { parseAddress } from './address.ts'

/** Own properties of hosts. Augment it to type them: `declare module 'deployfile' { interface HostProps { region?: string } }`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- empty so that projects can augment it
export interface HostProps {}

/** A host as a config writes it; its key in `hosts` is its name. */
export interface HostSpec {
  readonly roles: readonly string[]
  /** `user@host:port`, `[::1]:22`, or an alias of ssh_config. Default: the host's name. */
  readonly address?: string
  readonly user?: string
  readonly port?: number
  /** 'ssh' (default) or 'local': this machine, no connection. */
  readonly transport?: 'ssh' | 'local'
  /** The primary of its roles; else the first listed is. */
  readonly primary?: boolean
  /** Pins the host key by its fingerprint (`SHA256:…`) instead of known_hosts; for CI. */
  readonly hostKey?: string
  /** transport 'local' only: where relative paths start. Default: the folder of deploy.config.ts. */
  readonly root?: string
  readonly props?: HostProps
}

/** A host of a stage, as tasks see it. */
export interface Host {
  readonly name: string
  readonly stage: string
  readonly roles: readonly string[]
  readonly transport: 'ssh' | 'local'
  readonly address: string
  readonly user?: string
  readonly port?: number
  readonly primary: boolean
  readonly hostKey?: string
  readonly root?: string
  readonly props: HostProps
}

export interface Stage {
  readonly name: string
  /** Protected stages ask before anything is written, and their database is never restored onto. */
  readonly protected: boolean
}

const NAME = /^[^\s\u0000-\u001f\u007f@/{}]+$/

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
      /^[^-\s\u0000-\u001f@:][^\s\u0000-\u001f@:]*$/,
      'a user is one word without @ or :, not starting with a dash',
    )
    .optional(),
  port: z.number().int().min(1).max(65535).optional(),
  transport: z.enum(['ssh', 'local']).optional(),
  primary: z.boolean().optional(),
  hostKey: z
    .string()
    .regex(
      /^SHA256:[A-Za-z0-9+/]{43}=?$/,
      'a host key is pinned by its fingerprint, as ssh-keygen -l prints it: SHA256:…',
    )
    .optional(),
  root: z.string().min(1).optional(),
  props: z.record(z.string(), z.unknown()).optional(),
})

export const stageSchema = z.strictObject({
  protected: z.boolean().optional(),
  hosts: z.record(z.string().regex(NAME, 'a host name is one word without @ / { }'), hostSchema),
})
