/** A line that ends with `…` where it would not fit. Undefined columns: it may be as long as it is. */
export function cut(text: string, columns: number | undefined): string {
  // Below 20 columns a cut description says nothing: the terminal may wrap it.
  if (columns === undefined || columns < 20 || text.length <= columns) return text
  return `${text.slice(0, columns - 1)}…`
}

/** A paragraph in lines that fit, broken between words; each begins with `indent`, those after the first with `hanging`. */
export function wrapped(
  text: string,
  columns: number | undefined,
  indent = '',
  hanging: string = indent,
): readonly string[] {
  if (columns === undefined || columns < 20) return [indent + text]
  const lines: string[] = []
  let line = indent
  let empty = true
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = hanging + word
    } else line += empty ? word : ` ${word}`
    empty = false
  }
  return [...lines, line]
}
