import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRetryAfter, verdictOnStatus } from '../../lib/networks/verdict.js'
import { ANSWERED_AT_MS, answer } from './answer.js'

const DAY_MS = 86_400_000

function retryAfter(value: string | string[] | undefined, date?: string): number | undefined {
  const headers = { 'retry-after': value, ...(date !== undefined && { date }) }
  return readRetryAfter(answer(503, '', headers))
}

describe('Retry-After', () => {
  it('is a number of seconds', () => {
    assert.equal(retryAfter('0'), 0)
    assert.equal(retryAfter('1'), 1_000)
    assert.equal(retryAfter('007'), 7_000)
    assert.equal(retryAfter('86400'), DAY_MS)
  })

  // Of RFC 9110, section 5.6.7, an hour after our clock's Tue, 14 Nov 2023 22:13:20 GMT.
  for (const [form, date] of [
    ['IMF-fixdate', 'Tue, 14 Nov 2023 23:13:20 GMT'],
    ['RFC 850', 'Tuesday, 14-Nov-23 23:13:20 GMT'],
    ['asctime', 'Tue Nov 14 23:13:20 2023'],
  ] as const) {
    it(`is a date in the form ${form}, against our clock where the answer has no Date`, () => {
      assert.equal(retryAfter(date), 3_600_000)
    })

    it(`is a date in the form ${form}, against the answer's own Date`, () => {
      assert.equal(retryAfter(date, 'Tue, 14 Nov 2023 23:13:10 GMT'), 10_000)
    })

    it(`is read against a Date in the form ${form}`, () => {
      assert.equal(retryAfter('Tue, 14 Nov 2023 23:14:20 GMT', date), 60_000)
    })
  }

  it("takes asctime's day of one digit", () => {
    const date = 'Wed, 01 Nov 2023 00:00:00 GMT'
    assert.equal(retryAfter('Wed Nov  1 00:00:05 2023', date), 5_000)
  })

  it('is GMT whatever zone this process is in', () => {
    const { TZ } = process.env
    try {
      for (const zone of ['Pacific/Kiritimati', 'America/St_Johns', 'UTC']) {
        process.env.TZ = zone
        assert.equal(retryAfter('Tue Nov 14 23:13:20 2023'), 3_600_000, zone)
      }
    } finally {
      if (TZ === undefined) delete process.env.TZ
      else process.env.TZ = TZ
    }
  })

  it('is no wait at all if its date is past', () => {
    assert.equal(retryAfter('Tue, 14 Nov 2023 22:00:00 GMT'), 0)
  })

  it('falls back to our clock where the Date is none', () => {
    assert.equal(retryAfter('Tue, 14 Nov 2023 23:13:20 GMT', 'yesterday'), 3_600_000)
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
    it(`says nothing if it is ${JSON.stringify(malformed.slice(0, 40))}`, () => {
      assert.equal(retryAfter(malformed), undefined)
    })
  }

  it('says nothing if it is sent twice', () => {
    assert.equal(retryAfter(['1', '2']), undefined)
  })

  it('reads any text in no time and never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, date) => {
        const waitMs = retryAfter(value, date)
        assert.ok(waitMs === undefined || waitMs >= 0)
      }),
    )
  })
})

describe('the wait of a verdict', () => {
  function waitMs(headers: Record<string, string>, word?: { retryAfterMs?: number }) {
    const verdict = verdictOnStatus(answer(429, '', headers), word)
    assert.equal(verdict.kind, 'retry')
    return verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
  }

  it('is not told where the answer tells none', () => {
    assert.equal(waitMs({}), undefined)
  })

  it("is the header's, before the network's own word", () => {
    assert.equal(waitMs({ 'retry-after': '3' }, { retryAfterMs: 9_000 }), 3_000)
  })

  it("is the network's own word where the header makes no sense", () => {
    assert.equal(waitMs({ 'retry-after': 'soon' }, { retryAfterMs: 9_000 }), 9_000)
  })

  for (const absurd of ['999999999', '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT']) {
    it(`is bounded, so that ${absurd.slice(0, 40)} silences a network for a month at most`, () => {
      assert.equal(waitMs({ 'retry-after': absurd }), 31 * DAY_MS)
    })
  }

  it('is bounded where a body names it', () => {
    assert.equal(waitMs({}, { retryAfterMs: Number.POSITIVE_INFINITY }), 31 * DAY_MS)
  })

  it('begins when the answer arrived', () => {
    const late = { ...answer(503, '', { 'retry-after': 'Tue, 14 Nov 2023 22:13:30 GMT' }) }
    assert.equal(readRetryAfter(late), 10_000)
    assert.equal(readRetryAfter({ ...late, atMs: ANSWERED_AT_MS + 4_000 }), 6_000)
  })
})
