export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What a shell is to run once, so that it asks the program for words. The program itself is the one that is typed. */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  return SCRIPTS[shell]
}

// bash takes `:` and `=` for the ends of words, and compares only what comes after the last of them.
const BASH = `# deployfile: completion for bash
_deployfile() {
  local line="\${COMP_LINE:0:COMP_POINT}" current word
  local -a typed
  read -ra typed <<< "$line"
  [[ "$line" == *[[:space:]] ]] && typed+=("")
  current="\${typed[-1]}"
  local head="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("\${word#"$head"}")
  done < <("\${typed[0]}" completion words -- "\${typed[@]:1}" 2>/dev/null)
  [[ "\${#COMPREPLY[@]}" == 1 && "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace
  return 0
}
complete -F _deployfile deployfile
`

const ZSH = `# deployfile: completion for zsh
_deployfile() {
  local -a found keys
  local word about
  while IFS=$'\\t' read -r word about; do
    about="\${word//:/\\\\:}\${about:+:\$about}"
    if [[ "\$word" == *= ]]; then keys+=("\$about"); else found+=("\$about"); fi
  done < <("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  # The value of a key follows without a space.
  _describe 'deployfile' found -- keys -S ''
}
compdef _deployfile deployfile
`

const FISH = `# deployfile: completion for fish
function __deployfile_words
    set -l typed (commandline -opc)
    set -l program $typed[1]
    set -e typed[1]
    $program completion words -- $typed (commandline -ct) 2>/dev/null
end
complete -c deployfile -f -a '(__deployfile_words)'
`

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const
