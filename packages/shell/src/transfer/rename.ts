/**
 * sh: `rename_over FROM TO`, the rename(2) that mv is not: it never moves into a folder that stands at TO, and a link at TO is
 * replaced, not followed. `mv -T` is GNU's and busybox's; elsewhere plain mv where no folder is meant, `mv -h` (BSD, macOS) or perl.
 */
export const RENAME_OVER = `rename_over() {
  if message=$(LC_ALL=C mv -fT -- "$1" "$2" 2>&1); then return 0; fi
  case $(LC_ALL=C mv --help 2>&1) in *no-target-directory*|*-T*) echo "$message" >&2; return 1 ;; esac
  if [ ! -d "$2" ]; then mv -f -- "$1" "$2"; return; fi
  if [ ! -L "$2" ]; then echo "$2 is a folder" >&2; return 73; fi
  if mv -fh -- "$1" "$2" 2>/dev/null; then return 0; fi
  if command -v perl >/dev/null 2>&1; then perl -e 'rename($ARGV[0], $ARGV[1]) or die "$!\\n"' "$1" "$2"; return; fi
  echo "$2 cannot be replaced in one step here: neither mv -T, mv -h nor perl is there" >&2
  return 69
}`

/** sh: `sha256` reads standard input and prints 64 hex digits, by whichever program is there. */
export const SHA256 = `sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256
  elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r
  else echo 'neither sha256sum, shasum nor openssl is there' >&2; return 69; fi | cut -c1-64
}`
