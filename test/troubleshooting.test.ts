import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { MISUSES } from '../lib/misuse.js'
import { REASON_CODES } from '../lib/reason.js'

const text = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')

/** The sections, with their text, by title. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => section.split(/\n(.*)/s, 2) as [title: string, body: string]),
)

describe('docs/troubleshooting.md', () => {
  it('has one section for each code of a reason and of a misuse, and no other', () => {
    const codes = [...REASON_CODES, 'http-*', ...Object.keys(MISUSES)]
    assert.deepEqual([...sections.keys()].toSorted(), codes.toSorted())
  })

  it('has symptom, cause and fix in each section', () => {
    const complete = /^\n- Symptom: .+^- Cause: .+^- Fix: /ms
    const others = new Set(['http-*', 'ok', 'quota', 'disabled'])
    for (const [title, body] of sections) {
      if (!others.has(title)) assert.match(body, complete, title)
    }
  })
})
