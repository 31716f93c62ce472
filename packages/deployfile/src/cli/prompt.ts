import type { AskHidden, Question } from '@deployfile/core'
import type { AskText } from './terminal.ts'

/** Asks on the terminal by typing, once. Undefined after Escape or Ctrl-C. */
export async function promptOnTerminal({ message, answer }: Question): Promise<string | undefined> {
  // Loaded when it is needed: most commands ask nothing.
  const { isCancel, log, note, text } = await import('@clack/prompts')
  const [title = '', ...rest] = message.split('\n')
  if (rest.length > 0) note(rest.join('\n'), title)
  else log.warn(title)
  const typed = await text({ message: `Type ${answer} to go on`, placeholder: answer })
  return isCancel(typed) ? undefined : typed.trim()
}

/** Asks for a passphrase or a password: nothing of what is typed is shown, not even its length. Undefined after Escape or Ctrl-C. */
export async function promptHiddenOnTerminal({
  message,
}: Parameters<AskHidden>[0]): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts')
  const typed: unknown = await password({ message, mask: '', clearOnError: true })
  return isCancel(typed) || typeof typed !== 'string' ? undefined : typed
}

/** Asks for a line of text, with a default that can be edited, until nothing is wrong with it. Undefined after Escape or Ctrl-C. */
export const askOnTerminal: AskText = async (message, preset, faultOf) => {
  const { isCancel, text } = await import('@clack/prompts')
  const typed: unknown = await text({
    message,
    validate: (value = '') => faultOf(value),
    ...(preset !== undefined && { initialValue: preset }),
  })
  return isCancel(typed) ? undefined : typeof typed === 'string' ? typed : ''
}
