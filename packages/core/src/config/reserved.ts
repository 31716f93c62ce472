/** First words of the command line that are the tool's own; a project may not name a stage or a task so (design §5). */
export const BUILT_IN_WORDS: readonly string[] = [
  'init',
  'doctor',
  'runs',
  'exec',
  'ssh',
  'completion',
  'help',
]

/** Keys that mean the same on every command line, as `key=value` or `--key`; no task's input may be called so (design §4). */
export const GLOBAL_KEYS: readonly string[] = [
  ...[
    'stage',
    'confirm',
    'hosts',
    'roles',
    'skip',
    'yes',
    'on-failure',
    'undo',
    'lock-wait',
    'grace',
    'concurrency',
    'resume',
  ],
  ...['renderer', 'json', 'quiet', 'verbose', 'config', 'cwd', 'help', 'version', 'plan', 'dry-run', 'graph'],
]
