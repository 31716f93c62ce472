// Shorter values stand in ordinary words ("dev", "1234" as a port): replacing them would garble every log.
const SHORTEST = 4
/** A part of a secret, or of its base64: below this it is no longer recognisable, and would be found where there is none. */
const SHORTEST_PART = 8

/** The texts in which a value travels: as it is, as each of its lines, in a URL, in JSON, quoted for a shell, in base64. */
export function formsOf(value: string): ReadonlySet<string> {
  const forms = new Set<string>()
  if (value.length < SHORTEST) return forms
  // A key of several lines is printed line by line, indented, or with a prompt in front of each.
  const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_PART)
  for (const text of new Set([value, ...lines])) {
    const url = encoded(text)
    for (const form of [text, url, strict(url), strict(url).replaceAll('%20', '+')]) forms.add(form)
    forms.add(text.replaceAll("'", `'\\''`))
    forms.add(JSON.stringify(text).slice(1, -1))
  }
  for (const form of base64Of(value)) forms.add(form)
  return forms
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    // Half of a surrogate pair.
    return text
  }
}

/** What encodeURIComponent leaves alone and other languages' functions do not. */
function strict(url: string): string {
  return url.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Alone, and inside a longer text (`user:password` of a Basic header), where it may begin at any of three places. */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value)
  const alone = bytes.toString('base64')
  const inside = [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    // The characters at both ends also hold bits of what stands beside the value.
    const tail = (shift + bytes.length) % 3 === 0 ? whole.length : whole.length - 1
    const core = whole.slice(shift === 0 ? 0 : shift + 1, tail)
    return core.length >= SHORTEST_PART ? [core] : []
  })
  return [alone, ...inside].flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])
}
