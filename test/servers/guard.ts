import { spawn } from 'node:child_process'

const SCRIPT = `
cat > /dev/null
kill -s "$1" "$2" 2> /dev/null || exit 0
for wait in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$2" 2> /dev/null || break; sleep 1; done
rm -rf "$3"
`

/**
 * A test process that is killed can't stop its servers. This small shell waits on a pipe that only the test process holds;
 * when the pipe breaks, it ends the server by its pid and removes its folder. Returns how to dismiss it.
 */
export function guard(pid: number, signal: NodeJS.Signals, folder: string): () => void {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'guard', signal.replace(/^SIG/, ''), String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group: Ctrl-C in a terminal would end it together with those it waits for.
    detached: true,
    cwd: '/',
  })
  shell.unref()
  return () => shell.kill('SIGKILL')
}
