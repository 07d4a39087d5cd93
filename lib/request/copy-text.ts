/** V8 copies shorter parts of a string anyway (`SlicedString::kMinLength`). */
const MIN_SLICE_CHARACTERS = 13

/**
 * A copy of a text, for keeping. V8 stores a part of a string as a reference to the whole, so an id
 * that was cut out of a 15 kB header keeps all of the header in memory for as long as it is kept
 * itself. Whatever comes from a header, URL, query, cookie or body and outlives its request is copied
 * here first. A text that was put together from parts becomes one piece.
 */
export function copyText(text: string): string {
  if (text.length < MIN_SLICE_CHARACTERS) return text
  // To cut a concatenation, V8 first writes it to memory of its own.
  return ` ${text}`.slice(1)
}

/** More campaigns and placements than a site displays at one time. */
const MAX_SHARED_TEXTS = 10_000
/** Campaign ids and most placements are shorter. Longer texts rarely repeat. */
const MAX_SHARED_CHARACTERS = 64

/** Copies of texts that repeat, such as campaign ids and placements: one for all impressions. */
export class SharedTexts {
  readonly #copies = new Map<string, string>()

  /** A copy of a text, for keeping: see `copyText`. */
  copy(text: string): string {
    if (text.length > MAX_SHARED_CHARACTERS) return copyText(text)
    const shared = this.#copies.get(text)
    if (shared !== undefined) return shared
    // Clients may choose these texts too.
    if (this.#copies.size >= MAX_SHARED_TEXTS) this.#copies.clear()
    const copy = copyText(text)
    this.#copies.set(copy, copy)
    return copy
  }
}
