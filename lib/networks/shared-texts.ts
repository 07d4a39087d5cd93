import { copyText } from '../impression.js'

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
    const copy = internText(text)
    this.#copies.set(copy, copy)
    return copy
  }
}

/**
 * A copy that V8 also uses for equal texts in source code and in JSON, so that the next look-up of
 * one of those compares no characters. V8 keeps each property name once, in one piece.
 */
function internText(text: string): string {
  const [name = text] = Object.keys({ [text]: true })
  return name
}
