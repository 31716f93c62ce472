import { redact } from '@deployfile/core'
import type { Output } from '../render/style.ts'

/** The last gate before a screen: shells redact what they emit, messages of tasks pass only here. */
export function redacted(output: Output): Output {
  return {
    write: (text) => output.write(redact(text)),
    isTTY: output.isTTY,
    get columns() {
      return output.columns
    },
    get rows() {
      return output.rows
    },
  }
}
