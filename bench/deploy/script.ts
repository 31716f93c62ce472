/**
 * What somebody writes who knows ssh well: one connection a host over ControlMaster, and of round trips the fewest with which a deploy
 * is still all or nothing: take the lock and ask for the commit (first host only), build on all, flip on all. The same work as ours:
 * a mirror, an unpacked commit with REVISION, links to shared, a link that is renamed into place, revisions.log, three kept releases.
 * Arguments: ssh_config, repository, hosts.
 */
export const SCRIPT = `#!/bin/bash
set -euo pipefail
config=$1 url=$2; shift 2
hosts=("$@"); first=$1
sockets=$(mktemp -d)
ssh_() { ssh -F "$config" -o BatchMode=yes -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$sockets/%n" "$@"; }
hang_up() { for host in "\${hosts[@]}"; do ssh_ -O exit "$host" 2>/dev/null & done; wait; rm -rf "$sockets"; }
trap hang_up EXIT
everywhere() {
  local pids=() host
  for host in "\${hosts[@]}"; do ssh_ "$host" "$1" & pids+=($!); done
  local pid failed=0
  for pid in "\${pids[@]}"; do wait "$pid" || failed=1; done
  return $failed
}
name=$(date -u +%Y%m%d%H%M%S)
sha=$(ssh_ "$first" "set -eu; mkdir -p script; mkdir script/lock; git ls-remote '$url' refs/heads/master | cut -f1")
everywhere "set -eu
to=\\$HOME/script release=\\$HOME/script/releases/$name
mkdir -p \\$to/releases \\$to/shared/log \\$to/shared/tmp/pids
[ -f \\$to/repo/HEAD ] || git clone --quiet --mirror '$url' \\$to/repo
git -C \\$to/repo cat-file -e '$sha^{commit}' 2>/dev/null || git -C \\$to/repo remote update --prune >/dev/null 2>&1
mkdir \\$release
git -C \\$to/repo archive $sha | tar -x -f - -C \\$release
echo $sha > \\$release/REVISION
rm -rf \\$release/log; ln -s \\$to/shared/log \\$release/log
mkdir -p \\$release/tmp; rm -rf \\$release/tmp/pids; ln -s \\$to/shared/tmp/pids \\$release/tmp/pids"
everywhere "set -eu
to=\\$HOME/script
ln -s \\$to/releases/$name \\$to/current.$name
mv -T \\$to/current.$name \\$to/current
cp -f \\$to/current/REVISION \\$to/served
echo 'Branch master (at $sha) deployed as release $name by $USER' >> \\$to/revisions.log
ls \\$to/releases | head -n -3 | while read -r old; do rm -rf \\$to/releases/\\$old; done
rmdir \\$to/lock 2>/dev/null || :"
`
