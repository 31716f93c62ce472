import * as z from 'zod'

/** Text that a function finds no fault with; its sentence is the error. */
export function faulty(fault: (text: string) => string | undefined): z.ZodType<string, string> {
  return z.string().superRefine((text, context) => {
    const message = fault(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}
