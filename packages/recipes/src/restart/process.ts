/**
 * Shell functions about the process that a pid file names. A pid file outlives its process, and after a reboot its number is soon
 * somebody else's: a process counts as ours only when it is that program, and works below `$to`.
 *
 * `look FILE` sets `$pid`, empty when it is not running, and then `$gone` to a sentence that says why. `works_in PID` prints the folder
 * in which a process works, where the system tells.
 */
export const PROCESS_FUNCTIONS = String.raw`
set -f
base=$(cd -P "$to" && pwd -P)
gone=
command_of() {
  if [ -r /proc/self/cmdline ]; then tr '\000' ' ' < "/proc/$1/cmdline" 2>/dev/null || :
  else ps -o args= -p "$1" 2>/dev/null || :; fi
}
works_in() { readlink "/proc/$1/cwd" 2>/dev/null || :; }
# Of itself (puma 6.4.0 (tcp://…) [shop]), or of what runs it (ruby /usr/bin/puma -C …).
is_program() {
  for word in $(command_of "$1" | cut -d ' ' -f 1,2); do
    case ${'${word##*/}'} in "$program" | "$program:" | "$program"_rails) return 0 ;; esac
  done
  return 1
}
look() {
  pid=
  if [ ! -f "$1" ]; then gone="there is no pid file $1"; return 0; fi
  IFS= read -r pid < "$1" || :
  case $pid in
    '' | 0* | 1 | *[!0-9]*) gone="the pid file $1 has no process number in it"; pid=; return 0 ;;
  esac
  if [ -z "$(command_of "$pid")" ]; then gone="the pid file $1 is stale: there is no process $pid"; pid=; return 0; fi
  if ! is_program "$pid"; then
    gone="the pid file $1 is stale: $pid is another program's process, $(command_of "$pid" | cut -c 1-80)"
    pid=
    return 0
  fi
  case $(works_in "$pid") in
    '' | "$base" | "$base"/*) ;;
    *) gone="the pid file $1 is stale: $pid is the $program of $(works_in "$pid")"; pid= ;;
  esac
}
nap() { sleep 0.2 2>/dev/null || sleep 1; }
# Seconds by the clock, because a nap may be long. They are whole: one more than was said, for the part of a second that has gone already.
begun=$(date +%s)
in_time() { [ $(($(date +%s) - begun)) -le "$limit" ]; }`
