/**
 * Shell functions about `$own/lock`, a folder with one file `owner.<turn>` for each run that has held it; the highest turn counts. A
 * file is put there whole and by link(2), which only one can do: so a lock is never without its owner's name, and of two who take
 * over a dead one's, one wins. They expect `$own`, `$lock`, `$run`, `$ours` (how our owner's file begins).
 */
export const LOCK_FUNCTIONS = String.raw`
look() {
  turn=0 holder=
  while [ -f "$lock/owner.$((turn + 1))" ]; do turn=$((turn + 1)); done
  if [ "$turn" -gt 0 ]; then holder=$(cat "$lock/owner.$turn" 2>/dev/null) || :; fi
}
is_ours() { case $holder in "$ours"*) return 0 ;; esac; return 1; }
tell() {
  printf 'turn\t%s\nowner\t%s\nnow\t%s\nbeat\t%s\n' "$turn" "$holder" "$(date +%s)" "$(cat "$lock/heartbeat" 2>/dev/null || :)"
}
beat() {
  # A name of its own for each: the beat that keeps it alive may come while a task looks whether it is still held.
  date +%s > "$lock/.beat.$run.$$"
  mv -f "$lock/.beat.$run.$$" "$lock/heartbeat"
}`

/**
 * `guard MODE`: ends the script unless this run may change what is served. MODE 'held': the lock must be this run's; 'free': it must
 * not be another's; '': the lock is on another host.
 */
export const GUARD_FUNCTION = String.raw`
guard() {
  [ -n "$1" ] || return 0
  look
  if is_ours; then return 0; fi
  if [ "$turn" -gt 0 ]; then refuse 'another run holds the deploy lock now'; fi
  if [ "$1" = held ]; then refuse 'the deploy lock of this run is gone: somebody has removed it'; fi
}`

/**
 * Takes the lock, or tells who has it. $1 deployTo, $2 run, $3 the owner's file less its end, $4 how it begins; to take over a lock
 * that was judged dead: $5 its owner's file, $6 its turn, $7 its last sign of life, all of which must still be so.
 */
export const TAKE_SCRIPT = String.raw`
to=$1 run=$2 owner=$3 ours=$4 dead=$5 dead_turn=$6 dead_beat=$7
own=$to/.deployfile lock=$to/.deployfile/lock
${LOCK_FUNCTIONS}
claim() {
  printf '%s,"since":%s}\n' "$owner" "$(date +%s)" > "$own/claim.$run" || refuse "$own cannot be written to"
  if message=$(ln "$own/claim.$run" "$lock/owner.$1" 2>&1); then won=yes; else won=; fi
  rm -f "$own/claim.$run"
  if [ -z "$won" ] && [ -d "$lock" ] && [ ! -e "$lock/owner.$1" ]; then refuse "$message"; fi
  [ -n "$won" ]
}
tries=0
while :; do
  step 'making the folder of the lock'
  made= place=$own
  while [ ! -e "$place" ] && [ ! -L "$place" ]; do made=$place; place=$(dirname "$place"); done
  mkdir -p "$own"
  step 'taking the lock'
  mkdir "$lock" 2>/dev/null || :
  # By whoever found no folder, also when another was first to make the lock in it; that one may have released it already.
  if [ -n "$made" ]; then printf '%s' "$made" > "$lock/made" || :; fi 2>/dev/null
  look
  if [ "$turn" = 0 ] || is_ours; then next=$((turn + 1))
  elif [ "$turn" = "$dead_turn" ] && [ "$holder" = "$dead" ] && [ "$(cat "$lock/heartbeat" 2>/dev/null || :)" = "$dead_beat" ]; then
    next=$((turn + 1))
  else
    tell
    exit 0
  fi
  if claim "$next"; then
    # The folder may have been removed and made again since it was looked at: then this turn is of nobody's line.
    if [ "$turn" = 0 ] || [ "$(cat "$lock/owner.$turn" 2>/dev/null || :)" = "$holder" ]; then break; fi
    rm -f "$lock/owner.$next"
  fi
  tries=$((tries + 1))
  if [ "$tries" = 20 ]; then refuse 'others take and release it all the time'; fi
done
beat
rm -rf "$own"/claim.* "$own"/lock.gone.*
printf 'taken\t%s\n' "$next"`

/** Says again that the owner lives, if it still is the owner; tells of the lock in any case. $1 deployTo, $2 run, $3 {@link ownerStart}. */
export const BEAT_SCRIPT = String.raw`
to=$1 run=$2 ours=$3
own=$to/.deployfile lock=$to/.deployfile/lock
${LOCK_FUNCTIONS}
step 'keeping the lock'
look
if is_ours; then
  beat
  printf 'ours\t\n'
fi
tell`

/**
 * Removes the lock, if it still is the one that is meant, and the folders that were made for it where they hold nothing else. $1
 * deployTo, $2 run, $3 how its owner's file begins, or the whole of it; $4 its turn, '' for whichever. Tells of another's.
 */
export const REMOVE_SCRIPT = String.raw`
to=$1 run=$2 ours=$3 wanted=$4
own=$to/.deployfile lock=$to/.deployfile/lock
${LOCK_FUNCTIONS}
step 'removing the lock'
look
if ! is_ours || { [ -n "$wanted" ] && [ "$turn" != "$wanted" ]; }; then
  tell
  exit 0
fi
made=$(cat "$lock/made" 2>/dev/null || :)
rm -rf "$own/lock.gone.$run"
mv "$lock" "$own/lock.gone.$run"
lock=$own/lock.gone.$run
look
if ! is_ours; then
  # Taken over between the two looks.
  if [ ! -e "$own/lock" ]; then mv "$lock" "$own/lock"; fi
  tell
  exit 0
fi
rm -rf "$lock"
if [ -n "$made" ]; then
  place=$own
  while rmdir "$place" 2>/dev/null && [ "$place" != "$made" ]; do place=$(dirname "$place"); done
fi
printf 'removed\n'`

/** Tells of the lock. $1 deployTo. */
export const STATUS_SCRIPT = String.raw`
to=$1 lock=$1/.deployfile/lock
${LOCK_FUNCTIONS}
step 'looking at the lock'
look
tell`
