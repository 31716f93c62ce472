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

// A mirror is bare with the remote `origin`, as Capistrano keeps it. It is cloned beside and renamed, because half a clone would look
// like a whole one. One that has the commit asks the git server nothing. What cannot be mended is cloned anew, but not because a
// server does not answer. `set -e` does not hold in what stands before `||` or in a condition: there every command says so itself.
const MIRROR_FUNCTIONS = String.raw`
clone() {
  fresh=$own/repo.$run
  rm -rf "$fresh" "$fresh.gone"
  set -- "$1" "$2" --quiet --mirror
  if [ "$depth" -gt 0 ]; then set -- "$@" --depth "$depth" --no-single-branch; fi
  at=$1 from=$2
  shift 2
  git clone "$@" -- "$from" "$fresh"
  if [ -e "$at" ] || [ -L "$at" ]; then mv "$at" "$fresh.gone"; fi
  mv "$fresh" "$at"
  rm -rf "$fresh.gone"
}
has() { git -C "$1" cat-file -e "$2^{commit}" 2>/dev/null; }
update() {
  if [ "$depth" -gt 0 ]; then git -C "$1" fetch --quiet --prune --depth "$depth" origin >&2 || return 1
  else
    if [ -f "$1/shallow" ]; then git -C "$1" fetch --quiet --unshallow origin >&2 || return 1; fi
    git -C "$1" remote update --prune >&2 || return 1
  fi
}
# A commit that no branch has any more, or none so near to its end: a server may give it all the same.
ask_for() {
  if [ "$depth" -gt 0 ]; then git -C "$1" fetch --quiet --depth "$depth" origin "$2" 2>/dev/null
  else git -C "$1" fetch --quiet origin "$2" 2>/dev/null; fi
}
mirror() {
  mirror_at=$1 mirror_of=$2 commit=$3
  if [ ! -f "$1/HEAD" ]; then
    step "cloning $2"
    clone "$1" "$2"
  elif ! git -C "$1" remote set-url origin "$2"; then
    step "cloning $2, because the mirror $1 is broken"
    clone "$1" "$2"
  elif ! has "$1" "$3"; then
    step "updating the mirror $1"
    if ! update "$1"; then
      git ls-remote -- "$2" HEAD >/dev/null
      step "cloning $2, because the mirror $1 cannot be updated"
      clone "$1" "$2"
    fi
  fi
  step "looking for the commit $commit"
  has "$mirror_at" "$commit" || ask_for "$mirror_at" "$commit" || :
  if ! has "$mirror_at" "$commit" && ! git -C "$mirror_at" fsck --connectivity-only >/dev/null 2>&1; then
    step "cloning $mirror_of, because the mirror $mirror_at is damaged"
    clone "$mirror_at" "$mirror_of"
  fi
  has "$mirror_at" "$commit" || refuse "the repository has no such commit"
}
# sh has no pipefail: what git archive says of its own end comes back over descriptor 3.
unpack_tree() {
  untarred=0
  archived=$({ { archive_of "$1" "$2" || echo failed >&3; } | tar -x -f - -C "$3"; } 3>&1) || untarred=2
  [ -z "$archived" ] || return 1
  return "$untarred"
}
archive_of() {
  if [ "$lfs" = yes ]; then
    git -C "$1" -c filter.lfs.process='git-lfs filter-process' -c filter.lfs.required=true archive --format=tar "$2"
  else git -C "$1" archive --format=tar "$2"; fi
}`

// git archive leaves submodules out. Each gets a mirror of its own below the one of the repository, and what it has itself is done in
// the same way. A function of its own variables, because sh has no local ones.
const SUBMODULES_FUNCTION = String.raw`
beside() {
  address=$1 near=$\{2%/}
  while :; do
    case $address in
      ../*)
        address=$\{address#../}
        case $near in */*) near=$\{near%/*} joint=/ ;; *) near=$\{near%:*} joint=: ;; esac ;;
      ./*) address=$\{address#./} ;;
      *) break ;;
    esac
  done
  printf '%s%s%s' "$near" "$\{joint:-/}" "$address"
}
unpack_submodules() (
  root=$1 top=$2 folder=$3 from=$4 below=$5
  set --
  if [ -n "$below" ]; then set -- "$below/"; fi
  list=$(git -C "$root" ls-tree -r --full-tree "$top" -- "$@" | sed -n 's/^160000 commit //p')
  printf '%s\n' "$list" | while IFS='	' read -r hash name; do
    [ -n "$hash" ] || continue
    case /$name/ in *\"* | */../* | */./*) refuse "the submodule $name has an impossible name" ;; esac
    key=$(git -C "$root" config --blob "$top:.gitmodules" --get-regexp '\.path$' | while IFS= read -r line; do
      case $line in *".path $name") printf '%s' "$\{line%".path $name"}" ;; esac
    done)
    [ -n "$key" ] || refuse "the submodule $name is not in .gitmodules"
    address=$(git -C "$root" config --blob "$top:.gitmodules" --get "$key.url") || refuse "the submodule $name has no address"
    case $address in ./* | ../*) address=$(beside "$address" "$from") ;; esac
    case $address in -* | *::*) refuse "the submodule $name has the address $address, which git would take for something else" ;; esac
    # What a repository names must not reach files of the host, unless the repository itself is one.
    case $url in /* | ./* | file:*) ;; *) export GIT_PROTOCOL_FROM_USER=0 ;; esac
    mkdir -p "$repo/modules"
    own_mirror=$repo/modules/$(printf '%s' "$address" | git hash-object --stdin)
    mirror "$own_mirror" "$address" "$hash"
    if [ "$lfs" = yes ]; then git -C "$own_mirror" lfs fetch origin "$hash" >&2; fi
    if [ -n "$below" ]; then name=$\{name#"$below/"}; fi
    mkdir -p "$folder/$name"
    unpack_tree "$own_mirror" "$hash" "$folder/$name" || refuse "the submodule $name could not be unpacked"
    unpack_submodules "$own_mirror" "$hash" "$folder/$name" "$address" ''
  done
)`.replaceAll('$\\{', '${')

/** Variables: url sha depth path submodules lfs signed signers. */
export const MIRROR_SCRIPT = String.raw`
${GIT_ENVIRONMENT}
${MIRROR_FUNCTIONS}
${SUBMODULES_FUNCTION}
mirror "$repo" "$url" "$sha"
if [ "$signed" = yes ]; then
  step "verifying the signature of $sha"
  if [ -n "$signers" ]; then
    (umask 077; printf '%s\n' "$signers" > "$own/repo.$run.signers")
    said=$(git -C "$repo" -c gpg.ssh.allowedSignersFile="$own/repo.$run.signers" -c gpg.program=false -c gpg.x509.program=false \
      verify-commit "$sha" 2>&1) || refuse "it is not signed by one of the signers: $(printf '%s\n' "$\{said:-it has no signature}" | tail -n 1)"
    rm -f "$own/repo.$run.signers"
  else
    said=$(git -C "$repo" verify-commit "$sha" 2>&1) ||
      refuse "it is not signed by anyone whom this host trusts: $(printf '%s\n' "$\{said:-it has no signature}" | tail -n 1)"
  fi
fi
if [ "$lfs" = yes ]; then
  step "fetching the LFS files of $sha"
  git -C "$repo" lfs fetch origin "$sha" >&2
fi`.replaceAll('$\\{', '${')

/** Unpacks the commit into `$stage`, with REVISION_TIME. */
export const UNPACK_SCRIPT = String.raw`
step "unpacking the commit $sha"
tree=$sha
if [ -n "$path" ]; then tree=$sha:$path; fi
code=0
unpack_tree "$repo" "$tree" "$stage" || code=$?
# A tar that gives up, on a full disk perhaps, ends git archive as well.
if [ "$code" -eq 1 ] && archive_of "$repo" "$tree" >/dev/null 2>&1; then code=2; fi
if [ "$code" -eq 1 ] && [ -n "$path" ] && has "$repo" "$sha" && ! git -C "$repo" rev-parse --quiet --verify "$tree^{tree}" >/dev/null; then
  refuse "the commit has no folder $path"
fi
if [ "$code" -eq 1 ]; then
  step "cloning $url, because the mirror $repo is damaged"
  clone "$repo" "$url"
  has "$repo" "$sha" || ask_for "$repo" "$sha" || :
  if [ "$lfs" = yes ]; then git -C "$repo" lfs fetch origin "$sha" >&2; fi
  step "unpacking the commit $sha"
  rm -rf "$stage"
  mkdir "$stage"
  unpack_tree "$repo" "$tree" "$stage" || refuse "git archive did not end well"
elif [ "$code" -ne 0 ]; then refuse "tar did not end well"; fi
if [ "$submodules" = yes ]; then
  step "unpacking the submodules of $sha"
  unpack_submodules "$repo" "$sha" "$stage" "$url" "$path"
fi
step "writing REVISION_TIME"
rm -f "$stage/REVISION_TIME"
git -C "$repo" log -1 --no-show-signature --pretty=format:%ct%n "$sha" > "$stage/REVISION_TIME"`
