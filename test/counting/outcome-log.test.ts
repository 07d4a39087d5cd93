import assert from 'node:assert/strict'
import { describeDisplay, OutcomeLog } from '../../lib/counting/outcome-log.js'
import { OUTCOMES } from '../../lib/impression.js'
import { createLog } from '../../lib/logger.js'
import { SUPPRESSED, type Suppression } from '../../lib/reason.js'
import { VirtualClock } from '../delivery/virtual-clock.js'
import { createSubject } from './create-statistics.js'

function createOutcomeLog({ isDebugEnabled = true, isDevelopment = false } = {}) {
  const lines: string[] = []
  const fields: object[] = []
  const record = (level: string) => (logged: object, message: string) => {
    fields.push(logged)
    lines.push(`${level} ${message}`)
  }
  const logger = {
    debug: record('debug'),
    warn: record('warn'),
    error: record('error'),
    isLevelEnabled: () => isDebugEnabled,
  }
  const clock = new VirtualClock()
  const outcomeLog = new OutcomeLog(createLog(logger, clock), isDevelopment)
  const suppress = (suppression: Suppression) =>
    outcomeLog.write(createSubject(), 'suppressed', SUPPRESSED[suppression])
  return { outcomeLog, suppress, lines, fields, clock }
}

describe('the log of outcomes', () => {
  it('has a debug message for every outcome but delivered', () => {
    const { outcomeLog, lines } = createOutcomeLog()
    for (const outcome of OUTCOMES) outcomeLog.write(createSubject(), outcome, 'http-400: no')
    assert.equal(lines.length, OUTCOMES.length - 1)
    assert.ok(!lines.some((line) => line.includes('delivered')))
  })

  it('names outcome, reason, campaign, placement and page', () => {
    const { outcomeLog, lines } = createOutcomeLog()
    const subject = { ...createSubject(), placement: 'top', page: 'GET /news' }
    outcomeLog.write(subject, 'rejected', 'http-400: no such placement')
    assert.deepEqual(lines, [
      'debug ad-impressions: ens: impression rejected: http-400: no such placement ' +
        '(campaign 42, placement top, GET /news) (docs/reasons.md#http-status)',
    ])
  })

  it('is short and printable, also in its fields', () => {
    const { outcomeLog, lines, fields } = createOutcomeLog()
    const long = `\u202e\n${'x'.repeat(10_000)}`
    const subject = { ...createSubject(), campaignId: long, placement: long, page: long }
    outcomeLog.write(subject, 'suppressed', SUPPRESSED.aborted)
    for (const text of [...lines, ...fields.map((logged) => JSON.stringify(logged))]) {
      assert.ok(text.length < 600, text)
      assert.doesNotMatch(text, /[\p{Cc}\u202e]/u)
    }
  })

  it('has no debug message for what anyone can send, which has a warning of its own', () => {
    const { outcomeLog, lines } = createOutcomeLog()
    outcomeLog.write(createSubject(), 'invalid', 'invalid-token: token: expected one')
    outcomeLog.write(createSubject(), 'invalid', 'invalid-report: expected a body')
    assert.deepEqual(lines, [])
  })

  it('is empty if the logger omits debug messages', () => {
    const { suppress, lines } = createOutcomeLog({ isDebugEnabled: false })
    suppress('bot')
    assert.deepEqual(lines, [])
  })

  it('warns in development about the first suppression of each kind, and says what to do', () => {
    const options = { isDebugEnabled: false, isDevelopment: true }
    const { suppress, lines, clock } = createOutcomeLog(options)
    for (let minute = 0; minute < 3; minute += 1) {
      suppress('bot')
      suppress('prefetch')
      suppress('bot')
      clock.advance(60_000)
    }
    assert.equal(lines.length, 2)
    assert.match(lines[0] ?? '', /^warn .*ens: an impression does not count: bot: .*User-Agent/)
    assert.match(lines[1] ?? '', /^warn .*ens: an impression does not count: prefetch: /)
  })
})

describe('the description of a display', () => {
  it('is empty if nothing is known', () => {
    assert.equal(describeDisplay({}), '')
  })

  it('is one short, printable line, whatever a custom network returns', () => {
    const placement = `a\nb\u202ec${'x'.repeat(1_000)}`
    const text = describeDisplay({ campaignId: 'y'.repeat(10_000), placement })
    assert.ok(text.length < 200)
    assert.match(text, /placement a bcx+…\)$/)
  })
})
