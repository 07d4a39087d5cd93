/** A text for comparing, and where each of its characters stood in the original. */
export interface DecodedText {
  readonly characters: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** More layers than any error page has; the URL in JSON in HTML has three. */
const MAX_ROUNDS = 4

/** URL, HTML and JSON escapes, and what may stand between the characters of a split text. */
const ESCAPED =
  /%(?<percent>[0-9a-f]{2})|\\u(?<unicode>[0-9a-f]{4})|\\x(?<hex>[0-9a-f]{2})|&#x0{0,6}(?<htmlHex>[0-9a-f]{1,4});?|&#0{0,6}(?<htmlDecimal>\d{1,5});?|&(?<name>amp|lt|gt|quot|apos|nbsp);?|\\[nrt]|\\|\s/gi

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '',
}

/**
 * Decodes URL, HTML and JSON escapes, also of several layers, removes spaces and backslashes, and
 * unifies upper and lower case and the two alphabets of base64. Two texts that differ only in these
 * have the same `characters`.
 */
export function decodeText(text: string): DecodedText {
  let decoded: DecodedText = {
    characters: text,
    starts: Array.from({ length: text.length }, (_, index) => index),
    ends: Array.from({ length: text.length }, (_, index) => index + 1),
  }
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = decodeOnce(decoded)
    if (next.characters.length === decoded.characters.length) break
    decoded = next
  }
  return { ...decoded, characters: unify(decoded.characters) }
}

function decodeOnce({ characters, starts, ends }: DecodedText): DecodedText {
  const next = { characters: '', starts: [] as number[], ends: [] as number[] }
  const copy = (from: number, to: number) => {
    next.characters += characters.slice(from, to)
    next.starts.push(...starts.slice(from, to))
    next.ends.push(...ends.slice(from, to))
  }
  let copiedTo = 0
  for (const match of characters.matchAll(ESCAPED)) {
    const [sequence] = match
    const end = match.index + sequence.length
    copy(copiedTo, match.index)
    copiedTo = end
    const character = decodeEscape(match.groups ?? {})
    if (character === '') continue
    next.characters += character
    next.starts.push(starts[match.index] ?? 0)
    next.ends.push(ends[end - 1] ?? 0)
  }
  copy(copiedTo, characters.length)
  return next
}

/** Empty for what may stand between the characters of a split text. */
function decodeEscape(groups: Readonly<Record<string, string | undefined>>): string {
  const { percent, unicode, hex, htmlHex, htmlDecimal, name } = groups
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? ''
  const digits = percent ?? unicode ?? hex ?? htmlHex
  if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16))
  return htmlDecimal === undefined ? '' : String.fromCharCode(Number(htmlDecimal))
}

/** Letters outside ASCII stay as they are: the lower case of some has another length. */
function unify(characters: string): string {
  return characters
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replaceAll('-', '+')
    .replaceAll('_', '/')
}
