import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { CONFIGURATION_ERROR_CODES } from '../../lib/errors.js'
import { LOG_CODES } from '../../lib/logger.js'
import { MISUSES } from '../../lib/misuse.js'
import { findReasonSection, REASON_CODES } from '../../lib/reason.js'
import { ROOT } from '../package/tarball.js'

/** The sections of a page about codes, with their text, by title. */
function readSections(page: string): Map<string, string> {
  const text = readFileSync(path.join(ROOT, `docs/${page}.md`), 'utf8')
  const sections = text.split(/^### /m).slice(1)
  return new Map(sections.map((section) => section.split(/\n(.*)/s, 2) as [string, string]))
}

const PAGES: readonly [page: string, codes: readonly string[]][] = [
  ['errors', CONFIGURATION_ERROR_CODES],
  ['log-messages', LOG_CODES],
  ['reasons', [...REASON_CODES, findReasonSection('http-404')]],
]

/** These are not about a mistake. */
const WITHOUT_FIX = new Set(['http-status', 'ok', 'quota', 'disabled'])

for (const [page, codes] of PAGES) {
  describe(`docs/${page}.md`, () => {
    const sections = readSections(page)

    it('has one section for each code, and no other', () => {
      assert.deepEqual([...sections.keys()].toSorted(), codes.toSorted())
    })

    it('has symptom, cause and fix in each section', () => {
      const complete =
        page === 'errors' ? /^- Cause: .+^- Fix: /ms : /^- Symptom: .+^- Cause: .+^- Fix: /ms
      for (const [title, body] of sections) {
        if (!WITHOUT_FIX.has(title)) assert.match(body, complete, title)
      }
    })
  })
}

describe('the codes of log messages', () => {
  it('are those of mistakes in the app, and those that the code logs', () => {
    for (const code of Object.keys(MISUSES)) assert.ok(LOG_CODES.some((known) => known === code))
    assert.equal(
      new Set<string>([...LOG_CODES, ...REASON_CODES]).size,
      LOG_CODES.length + REASON_CODES.length,
    )
  })
})
