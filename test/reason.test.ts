import assert from 'node:assert/strict'
import {
  DROPPED,
  DROPPED_AFTER_SENDING,
  REASON_CODES,
  REASONS,
  readReasonCode,
  SUPPRESSED,
  toReason,
} from '../lib/reason.js'

const FIXED = [
  ...Object.values(SUPPRESSED),
  ...Object.values(DROPPED),
  ...Object.values(DROPPED_AFTER_SENDING),
  ...Object.values(REASONS),
]

describe('a reason', () => {
  it('begins with a code of lower-case words with hyphens', () => {
    for (const code of REASON_CODES) assert.match(code, /^[a-z]+(-[a-z]+)*$/)
    assert.equal(new Set(REASON_CODES).size, REASON_CODES.length)
  })

  it('is a code and a sentence', () => {
    for (const reason of FIXED) {
      assert.ok(REASON_CODES.some((code) => code === readReasonCode(reason)))
      assert.match(reason, /^[a-z-]+: .{15,}$/)
    }
  })

  it('keeps the codes of suppressions and drops as DESIGN.md lists them', () => {
    assert.deepEqual(Object.values(SUPPRESSED).map(readReasonCode), Object.keys(SUPPRESSED))
    assert.deepEqual(Object.values(DROPPED).map(readReasonCode), Object.keys(DROPPED))
    assert.deepEqual(Object.keys(DROPPED), ['overflow', 'expired', 'closed'])
  })

  it('gets a code in front only if the text has none', () => {
    assert.equal(toReason('http-502: bad gateway', 'http-500'), 'http-502: bad gateway')
    assert.equal(toReason('bad gateway', 'http-500'), 'http-500: bad gateway')
    assert.equal(toReason('bot', 'http-500'), 'http-500: bot')
  })
})
