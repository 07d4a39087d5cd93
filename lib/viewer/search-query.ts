export const MAX_SEARCH_QUERY_CHARACTERS = 1_024

/**
 * A search query fit to be sent and to be a batch's key: viewers type it, so control characters
 * (a NUL would make some databases refuse the whole batch) become spaces and broken surrogates are
 * replaced. `undefined` if nothing is left.
 */
export function cleanSearchQuery(text: string): string | undefined {
  return (
    text
      .toWellFormed()
      .replace(/\p{Cc}+/gu, ' ')
      .trim() || undefined
  )
}
