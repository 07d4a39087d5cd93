import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRetryAfter } from '../../lib/networks/retry-after.js'
import { verdictOnStatus } from '../../lib/networks/verdict.js'
import { ANSWERED_AT_MS, answer } from './answer.js'

const DAY_MS = 86_400_000

function readFrom(value: string | string[] | undefined, date?: string): number | undefined {
  const headers = { 'retry-after': value, ...(date !== undefined && { date }) }
  return readRetryAfter(answer(503, '', headers))
}

describe('readRetryAfter()', () => {
  it('reads a number of seconds', () => {
    assert.equal(readFrom('0'), 0)
    assert.equal(readFrom('1'), 1_000)
    assert.equal(readFrom('007'), 7_000)
    assert.equal(readFrom('86400'), DAY_MS)
  })

  // The forms of RFC 9110 section 5.6.7, one hour after ANSWERED_AT_MS.
  for (const [form, date] of [
    ['IMF-fixdate', 'Tue, 14 Nov 2023 23:13:20 GMT'],
    ['RFC 850', 'Tuesday, 14-Nov-23 23:13:20 GMT'],
    ['asctime', 'Tue Nov 14 23:13:20 2023'],
  ] as const) {
    it(`reads the ${form} form, relative to our clock if there is no Date`, () => {
      assert.equal(readFrom(date), 3_600_000)
    })

    it(`reads the ${form} form, relative to the answer's Date`, () => {
      assert.equal(readFrom(date, 'Tue, 14 Nov 2023 23:13:10 GMT'), 10_000)
    })

    it(`accepts a Date in the ${form} form`, () => {
      assert.equal(readFrom('Tue, 14 Nov 2023 23:14:20 GMT', date), 60_000)
    })
  }

  it('reads a one-digit day in the asctime form', () => {
    const date = 'Wed, 01 Nov 2023 00:00:00 GMT'
    assert.equal(readFrom('Wed Nov  1 00:00:05 2023', date), 5_000)
  })

  it('reads the asctime form as GMT in every time zone', () => {
    const { TZ } = process.env
    try {
      for (const zone of ['Pacific/Kiritimati', 'America/St_Johns', 'UTC']) {
        process.env.TZ = zone
        assert.equal(readFrom('Tue Nov 14 23:13:20 2023'), 3_600_000, zone)
      }
    } finally {
      if (TZ === undefined) delete process.env.TZ
      else process.env.TZ = TZ
    }
  })

  it('is 0 for a date in the past', () => {
    assert.equal(readFrom('Tue, 14 Nov 2023 22:00:00 GMT'), 0)
  })

  it('uses our clock if the Date is invalid', () => {
    assert.equal(readFrom('Tue, 14 Nov 2023 23:13:20 GMT', 'yesterday'), 3_600_000)
  })

  for (const malformed of [
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '٣',
    'soon',
    'Soon 2099',
    'Abc 1',
    '10 seconds',
    '1, 2',
    'Tue, 14 Nov 2023 23:13:20',
    'Tue, 14 Nov 2023 23:13:20 CET',
    'Tue, 14 Nov 2023 23:13:20 +0100',
    'Tue, 14 Nov 2023',
    'Tue, 99 Nov 2023 23:13:20 GMT',
    'Tue, 14 Foo 2023 23:13:20 GMT',
    '2023-11-14T23:13:20Z',
    'Tue Nov 14 23:13:20 2023 GMT',
    `${' '.repeat(50_000)}1`,
  ]) {
    it(`ignores ${JSON.stringify(malformed.slice(0, 40))}`, () => {
      assert.equal(readFrom(malformed), undefined)
    })
  }

  it('takes the longest of several values', () => {
    assert.equal(readFrom(['1', '2']), 2_000)
    assert.equal(readFrom(['Tue, 14 Nov 2023 23:13:20 GMT', '2', 'soon']), 3_600_000)
  })

  it('reads a number too large for a delay as a Unix time, by the clock of the answer', () => {
    assert.equal(readFrom(String(ANSWERED_AT_MS / 1_000 + 30)), 30_000)
    const date = 'Tue, 14 Nov 2023 22:13:00 GMT'
    assert.equal(readFrom(String(ANSWERED_AT_MS / 1_000), date), 20_000)
    assert.equal(readFrom(String(ANSWERED_AT_MS / 1_000 - 30)), 0)
    assert.equal(readFrom('1000000000'), undefined)
  })

  it('ignores a date that does not exist', () => {
    assert.equal(readFrom('Sun, 31 Feb 2027 00:00:00 GMT'), undefined)
    assert.equal(readFrom('Tue Feb 31 00:00:00 2024'), undefined)
  })

  it('never throws and never returns a negative wait', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, date) => {
        const waitMs = readFrom(value, date)
        assert.ok(waitMs === undefined || waitMs >= 0)
      }),
    )
  })
})

describe('retryAfterMs of a retry verdict', () => {
  function waitMs(headers: Record<string, string>, error?: { retryAfterMs?: number }) {
    const verdict = verdictOnStatus(answer(429, '', headers), error)
    assert.equal(verdict.kind, 'retry')
    return verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
  }

  it('is undefined if the answer names no wait', () => {
    assert.equal(waitMs({}), undefined)
  })

  it('is the longer one of Retry-After and the body', () => {
    assert.equal(waitMs({ 'retry-after': '3' }, { retryAfterMs: 9_000 }), 9_000)
    assert.equal(waitMs({ 'retry-after': '13' }, { retryAfterMs: 9_000 }), 13_000)
  })

  it('comes from the body if Retry-After is malformed', () => {
    assert.equal(waitMs({ 'retry-after': 'soon' }, { retryAfterMs: 9_000 }), 9_000)
  })

  for (const absurd of ['99999999999', '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT']) {
    it(`is undefined for ${absurd.slice(0, 40)}`, () => {
      assert.equal(waitMs({ 'retry-after': absurd }), undefined)
    })
  }

  it('is undefined if the body names an infinite wait', () => {
    assert.equal(waitMs({}, { retryAfterMs: Number.POSITIVE_INFINITY }), undefined)
  })

  it('starts when the answer arrived', () => {
    const late = { ...answer(503, '', { 'retry-after': 'Tue, 14 Nov 2023 22:13:30 GMT' }) }
    assert.equal(readRetryAfter(late), 10_000)
    assert.equal(readRetryAfter({ ...late, atMs: ANSWERED_AT_MS + 4_000 }), 6_000)
  })
})
