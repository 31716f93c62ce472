/**
 * Makes git ask nothing: a question on a host that nobody watches is a hang. The login's own ssh command is kept, so that its keys
 * and known_hosts count; host keys are checked as they always are there.
 */
export const GIT_ENVIRONMENT = `
export GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/echo
if [ -n "\${GIT_SSH_COMMAND:-}" ] || [ -z "\${GIT_SSH:-}" ]; then
  ssh_command=\${GIT_SSH_COMMAND:-$(git config --get core.sshCommand || printf ssh)}
  export GIT_SSH_COMMAND="$ssh_command -oBatchMode=yes -oConnectTimeout=20"
fi`

/**
 * Brings `$repo` up to where it has the commit `$sha`: a bare mirror with the remote `origin`, as Capistrano keeps it. Cloned beside
 * (`$own`) and renamed, because half a clone would look like a whole one. A mirror that has the commit asks the git server nothing.
 */
export const MIRROR_SCRIPT = String.raw`
if [ ! -f "$repo/HEAD" ]; then
  step "cloning $url"
  git clone --quiet --mirror -- "$url" "$own/repo.$run"
  mv "$own/repo.$run" "$repo"
else
  step "updating the mirror $repo"
  git -C "$repo" remote set-url origin "$url"
  if ! git -C "$repo" cat-file -e "$sha^{commit}" 2>/dev/null; then git -C "$repo" remote update --prune >&2; fi
fi
step "looking for the commit $sha"
git -C "$repo" cat-file -e "$sha^{commit}" 2>/dev/null || refuse "the repository has no such commit"`

/**
 * Unpacks the commit into `$stage`, with REVISION and REVISION_TIME. sh has no pipefail: what `git archive` says of its own end
 * comes back over descriptor 3.
 */
export const UNPACK_SCRIPT = String.raw`
step "unpacking the commit $sha"
archived=$({ { git -C "$repo" archive --format=tar "$sha" || echo failed >&3; } | tar -x -f - -C "$stage"; } 3>&1)
[ -z "$archived" ] || refuse "git archive did not end well"
step "writing REVISION"
rm -f "$stage/REVISION" "$stage/REVISION_TIME"
printf '%s\n' "$sha" > "$stage/REVISION"
git -C "$repo" log -1 --no-show-signature --pretty=format:%ct%n "$sha" > "$stage/REVISION_TIME"`
