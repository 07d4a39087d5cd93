import assert from 'node:assert/strict'

const ADDRESS = / \(docs\/[a-z-]+\.md#[a-z-]+\)$/

/** The text without the address of a section of the documentation, with which it has to end. */
export function withoutAddress(text: string): string {
  assert.match(text, ADDRESS)
  return text.replace(ADDRESS, '')
}
