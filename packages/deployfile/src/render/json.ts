import type { Renderer } from './renderer.ts'
import type { Output } from './style.ts'

/** The event stream itself, one JSON object a line. */
export function jsonRenderer(output: Output): Renderer {
  return {
    event: (event) => void output.write(`${JSON.stringify(event)}\n`),
    pause: () => undefined,
    resume: () => undefined,
    // Whoever reads JSON gets `run.stopping` as an event.
    notice: () => undefined,
    end: () => Promise.resolve(),
  }
}

/** For --quiet: the failure block is all that is printed. */
export const silentRenderer: Renderer = {
  event: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  notice: () => undefined,
  end: () => Promise.resolve(),
}
