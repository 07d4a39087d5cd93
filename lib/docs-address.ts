/** The pages in docs/ that have one section for each code. */
export type CodePage = 'errors' | 'log-messages' | 'reasons'

/**
 * Ends a text with the address of the section that explains its code. It is a path, because the
 * package contains the pages.
 */
export function addAddress(text: string, page: CodePage, code: string): string {
  return `${text} (docs/${page}.md#${code})`
}
