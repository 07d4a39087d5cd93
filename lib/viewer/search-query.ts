export const MAX_SEARCH_QUERY_CHARACTERS = 1_024

/**
 * Cleans a search query, which viewers type, so that it can be sent and used as a batch key. Control
 * characters become spaces (a NUL can make a database reject the whole batch) and lone surrogates
 * are replaced. Returns `undefined` if nothing is left.
 */
export function cleanSearchQuery(text: string): string | undefined {
  return (
    text
      .toWellFormed()
      .replace(/\p{Cc}+/gu, ' ')
      .trim() || undefined
  )
}
