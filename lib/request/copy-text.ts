/** V8 copies shorter parts of a string anyway (`SlicedString::kMinLength`). */
const MIN_SLICE_CHARACTERS = 13

/**
 * A copy of a text, for keeping. V8 stores a part of a string as a reference to the whole, so an id
 * that was cut out of a 15 kB header keeps all of the header in memory for as long as it is kept
 * itself. Whatever comes from a header, URL, query, cookie or body and outlives its request is copied
 * here first.
 */
export function copyText(text: string): string {
  if (text.length < MIN_SLICE_CHARACTERS) return text
  // To cut a concatenation, V8 first writes it to memory of its own.
  return ` ${text}`.slice(1)
}
