import { LEDGER_FUNCTION } from './ledger.ts'
import { GUARD_FUNCTION, LOCK_FUNCTIONS } from './lock/script.ts'

// rename(2) into the folder, as Capistrano does it: one step on every system, where `mv -T` is only GNU's. The link is made beside,
// under a name that is this run's, and never in `releases`: left there by a kill, it would swallow Capistrano's next link.
const POINT_FUNCTION = String.raw`
point() {
  flip=$own/flip.$run
  rm -rf "$flip"
  mkdir -p "$flip"
  ln -s "$1" "$flip/current"
  mv -f "$flip/current" "$to/"
  rmdir "$flip"
  if [ "$(readlink "$to/current")" != "$1" ]; then refuse "$to/current was changed by somebody else at the same moment"; fi
}`

// Without a deploy lock two runs may flip one host at the same moment, each after it has seen that nobody did. A flip takes
// milliseconds: a turn that is older than a minute was left by a kill.
const TURN_FUNCTION = String.raw`
take_turn() {
  step 'waiting for the flip of another run'
  mkdir -p "$own"
  tries=0
  while ! message=$(mkdir "$own/flip.turn" 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" = 90 ] || { [ "$tries" -gt 2 ] && [ ! -d "$own/flip.turn" ]; }; then refuse "$message"; fi
    find "$own/flip.turn" -prune -mmin +1 -exec rmdir {} + 2>/dev/null || :
    sleep 1
  done
  leave() { rmdir "$own/flip.turn" 2>/dev/null || :; }
}`

const START = String.raw`
own=$to/.deployfile lock=$to/.deployfile/lock ledger=$to/.deployfile/releases.jsonl
${LEDGER_FUNCTION}
${LOCK_FUNCTIONS}
${GUARD_FUNCTION}
${POINT_FUNCTION}
${TURN_FUNCTION}
if [ "$locked" = no ]; then take_turn; fi
link=
step 'looking at current'
if [ -L "$to/current" ]; then link=$(readlink "$to/current")
elif [ -e "$to/current" ]; then refuse "$to/current is not a link"; fi`

/**
 * Looks whether this run may flip, and flips: in one script, so that nothing comes between. $1 deployTo, $2 run, $3 release, $4 'any'
 * or 'is' and $5 the text that `current` must have unless it leads there already, $6 the mode of {@link GUARD_FUNCTION}, $7 how the
 * lock's owner begins, $8 'yes' when the ledger's last line must be this run's, then lines for the ledger.
 */
export const FLIP_SCRIPT = String.raw`
to=$1 run=$2 name=$3 how=$4 expected=$5 mode=$6 ours=$7 alone=$8 locked=yes
shift 8
if [ "$mode" = free ]; then locked=no; fi
${START}
target=$to/releases/$name
step 'looking at the lock'
guard "$mode"
if [ "$alone" = yes ]; then
  case $(tail -n 1 "$ledger") in
    *"\"run\":\"$run\""*) ;;
    *) refuse "another run has begun here since" ;;
  esac
fi
step 'looking at current'
if [ "$how" = is ] && [ "$link" != "$expected" ] && [ "$link" != "$target" ]; then
  refuse "somebody else has deployed meanwhile: $to/current pointed to '$expected' when this run began, and points to '$link' now"
fi
[ -f "$target/REVISION" ] || refuse "the release $target is not there, or not whole"
step 'removing a stale releases/current'
if [ -L "$to/releases/current" ]; then rm -f "$to/releases/current"; fi
step 'pointing current to the release'
mkdir -p "$own"
point "$target"
step 'writing the ledger'
for line in "$@"; do ledger "$line"; done
printf 'link\t%s\n' "$link"`

/**
 * Takes a flip back: $1 deployTo, $2 run, $3 the release that was flipped to, $4 'link' or 'none', $5 the text of the link before, $6
 * how the ledger's line about a restart begins, $7 'no' where no deploy lock is held, then lines for the ledger, which must not keep a
 * link from going back. Prints `back`, and `restarted` where a restart had begun; nothing when `current` points elsewhere by now.
 */
export const FLIP_BACK_SCRIPT = String.raw`
to=$1 run=$2 name=$3 before=$4 previous=$5 mark=$6 locked=$7 ours=
shift 7
${START}
target=$to/releases/$name
if [ "$link" != "$target" ] || { [ "$before" = link ] && [ "$previous" = "$target" ]; }; then exit 0; fi
if [ "$before" = link ]; then
  step "pointing current back to $previous"
  point "$previous"
else
  step 'removing current'
  rm -f "$to/current"
fi
printf 'back\n'
if grep -qF "$mark" "$ledger" 2>/dev/null; then printf 'restarted\n'; fi
for line in "$@"; do ledger "$line" || :; done`

/** $1 deployTo, $2 a line for the ledger. */
export const NOTE_SCRIPT = String.raw`
ledger=$1/.deployfile/releases.jsonl
${LEDGER_FUNCTION}
step 'writing the ledger'
mkdir -p "$1/.deployfile"
ledger "$2"`

/** The same, and then the command $3, which has the shell's place, without its \`set -u\`. */
export const NOTE_AND_RUN_SCRIPT = String.raw`${NOTE_SCRIPT}
exec sh -e -c "$3"`
