import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOwnProcess } from './own-process.ts'
import { withFreePort } from './port.ts'
import { requireService } from './service.ts'
import { tempFolder } from './temp.ts'

/**
 * A real Apache with Phusion Passenger that serves one application, from `<deployTo>/current`, and below `/neighbour` the one of a
 * folder whose name only begins like it, `<deployTo>2`.
 */
export interface PassengerServer extends AsyncDisposable {
  readonly url: string
  log(): string
  stop(): Promise<void>
}

/**
 * Starts Apache as a child of the test, at a private port and with settings of its own. `registry` is the folder in which
 * passenger-config finds it. As root, the application runs as nobody, who must be able to read it.
 */
export async function startPassenger(deployTo: string, registry: string): Promise<PassengerServer> {
  const program = requireService('passenger')
  const folder = tempFolder('apache')
  const root = folder.path
  try {
    chmodSync(root, 0o711)
    mkdirSync(registry, { recursive: true })
    const { port, server } = await withFreePort(async (port) => {
      const file = join(root, 'apache.conf')
      writeFileSync(file, `${settings(root, port, deployTo, registry).join('\n')}\n`)
      const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...NO_COMPILING }
      return {
        port,
        server: await startOwnProcess({
          ...{ program, args: ['-d', root, '-f', file, '-D', 'FOREGROUND'], env },
          ...{ ready: /resuming normal operations/, stopSignal: 'SIGTERM', folder: root },
        }),
      }
    })
    const stop = async (): Promise<void> => {
      await server.stop()
      await folder.remove()
    }
    return {
      url: `http://127.0.0.1:${String(port)}/`,
      log: () => `${server.log()}${readFileSync(join(root, 'passenger.log'), 'utf8')}`,
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

/** Without these it would try to build, or to fetch, a faster part of itself. */
const NO_COMPILING = {
  PASSENGER_COMPILE_NATIVE_SUPPORT_BINARY: '0',
  PASSENGER_DOWNLOAD_NATIVE_SUPPORT_BINARY: '0',
}

const MODULES = '/usr/lib/apache2/modules'

function settings(root: string, port: number, deployTo: string, registry: string): readonly string[] {
  return [
    ...['mpm_event', 'authz_core', 'dir', 'alias'].map(
      (name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`,
    ),
    `LoadModule passenger_module ${MODULES}/mod_passenger.so`,
    `Listen 127.0.0.1:${String(port)}`,
    'ServerName 127.0.0.1',
    `PidFile ${root}/apache.pid`,
    `DefaultRuntimeDir ${root}`,
    ...(process.getuid?.() === 0 ? ['User nobody', 'Group nogroup'] : []),
    // Its standard error is a socket, which cannot be opened by a name.
    'ErrorLog "||/bin/cat"',
    'PassengerRoot /usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini',
    'PassengerDefaultRuby /usr/bin/ruby',
    `PassengerInstanceRegistryDir ${registry}`,
    `PassengerLogFile ${root}/passenger.log`,
    'PassengerDisableSecurityUpdateCheck on',
    'PassengerDisableAnonymousTelemetry on',
    // Seconds between two looks at restart.txt; 10 by default.
    'PassengerStatThrottleRate 1',
    // Room for both applications while one is restarted: who is in the way is ended.
    'PassengerMaxPoolSize 4',
    'PassengerMinInstances 1',
    `DocumentRoot ${deployTo}/current/public`,
    `PassengerAppRoot ${deployTo}/current`,
    'PassengerAppType rack',
    'PassengerStartupFile config.ru',
    `Alias /neighbour ${deployTo}2/current/public`,
    '<Location /neighbour>',
    '  PassengerBaseURI /neighbour',
    `  PassengerAppRoot ${deployTo}2/current`,
    '</Location>',
    '<Directory />',
    '  Require all granted',
    '</Directory>',
  ]
}
