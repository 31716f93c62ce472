import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface AppServer {
  /** What the app says of itself: revision, version, release, rows. */
  status(): Promise<unknown>
  stop(): Promise<void>
}

/** Starts the stand-in for Passenger on what a host has in `<deployTo>/current`; it starts the app at the first request. */
export async function startAppServer(deployTo: string): Promise<AppServer> {
  const program = fileURLToPath(new URL('../../scripts/demo/app-server.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, deployTo], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  return {
    async status() {
      const answer = await fetch(`http://127.0.0.1:${port.trim()}/status.json`)
      const text = await answer.text()
      if (!answer.ok) throw new Error(`the app answers ${answer.status}: ${text}`)
      return JSON.parse(text) as unknown
    },
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
