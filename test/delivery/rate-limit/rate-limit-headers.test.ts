import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRateLimits } from '../../../lib/delivery/rate-limit/rate-limit-headers.js'
import type { Answer } from '../../../lib/networks/verdict.js'

const NOW_MS = Date.UTC(2026, 0, 1, 12)

const read = (headers: Answer['headers']) =>
  readRateLimits({ status: 200, headers, body: '', atMs: NOW_MS })

/** The remaining calls, with the seconds until each reset. */
const readRemaining = (headers: Answer['headers']) =>
  read(headers).remaining.map(({ calls, untilMs, limit }) => ({
    calls,
    seconds: (untilMs - NOW_MS) / 1_000,
    limit,
  }))

const MINUTE = { limit: 300, windowMs: 60_000 }
const DAY = { limit: 10_000, windowMs: 86_400_000 }

describe('rate limit headers: policy', () => {
  const policies: readonly (readonly [string, string | string[]])[] = [
    ['reads a policy as the Closient documentation writes it', '300;w=60, 10000;w=86400'],
    ['reads a policy with spaces anywhere', ' 300 ; w=60 ,10000;  w=86400 '],
    ['reads a policy from several headers', ['300;w=60', '10000;w=86400']],
    ['ignores other parameters', '300;w=60;burst=10;comment="a, b; c", 10000;w=86400'],
    ['reads a policy as drafts since 08 write it', '"burst";q=300;w=60,"daily";q=10000;w=86400'],
    ['reads names that contain separators', '"a,b;w=1";q=300;w=60,"\\"";q=10000;w=86400'],
    ['reads unquoted names', 'burst;q=300;w=60, daily;q=10000;w=86400'],
    ['ignores partition keys', '"a";q=300;w=60;pk=:cHsdsRa894==:, "b";q=10000;w=86400'],
    ['reads names that are numbers', '"1";q=300;w=60, "2";q=10000;w=86400'],
    ['reads a quota unit of requests', '"a";q=300;qu="requests";w=60, "b";q=10000;w=86400'],
  ]
  for (const [name, value] of policies) {
    it(name, () => {
      const { windows, isWholePolicy } = read({ 'ratelimit-policy': value })
      assert.deepEqual(windows, [MINUTE, DAY])
      assert.equal(isWholePolicy, true)
    })
  }

  it('reads the policy after the limit, as drafts before 05 write it', () => {
    const { windows } = read({ 'ratelimit-limit': '300, 300;w=60, 10000;w=86400' })
    assert.deepEqual(windows, [MINUTE, DAY])
  })

  const malformed = [
    'garbage',
    '-5;w=10',
    '5;w=-10',
    '5;w=1.5',
    '5;w=0',
    '0;w=5',
    '5',
    ';;;',
    '1e3;w=10',
    '5;w=99999999999',
    '5;w=99999999999999999999999',
    '"a";q=5',
    '"bytes";q=5;qu="content-bytes";w=10',
    '"unclosed;q=5;w=10',
  ]
  for (const member of malformed) {
    it(`skips a malformed policy member: ${member}`, () => {
      const { windows, isWholePolicy } = read({ 'ratelimit-policy': ['300;w=60', member] })
      assert.deepEqual(windows, [MINUTE])
      assert.equal(isWholePolicy, false)
    })
  }

  it('uses the lowest of several quotas for the same window length', () => {
    const { windows } = read({ 'ratelimit-policy': '500;w=60, 300;w=60, 400;w=60' })
    assert.deepEqual(windows, [MINUTE])
  })

  it('reads a bounded number of windows', () => {
    const many = Array.from({ length: 100 }, (_, index) => `5;w=${index + 1}`).join(', ')
    const { windows, isWholePolicy } = read({ 'ratelimit-policy': many })
    assert.equal(windows.length, 8)
    assert.equal(isWholePolicy, false)
  })
})

describe('rate limit headers: remaining calls', () => {
  it('reads the three fields', () => {
    const fields = { 'ratelimit-limit': '300', 'ratelimit-remaining': '290' }
    assert.deepEqual(readRemaining({ ...fields, 'ratelimit-reset': '50' }), [
      { calls: 290, seconds: 50, limit: 300 },
    ])
  })

  it('reads the remaining calls without a limit', () => {
    assert.deepEqual(readRemaining({ 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }), [
      { calls: 290, seconds: 50, limit: undefined },
    ])
  })

  it('ignores a malformed limit', () => {
    const limit = { 'ratelimit-limit': 'many' }
    assert.deepEqual(
      readRemaining({ ...limit, 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }),
      [{ calls: 290, seconds: 50, limit: undefined }],
    )
  })

  it('reads the form of draft 07', () => {
    assert.deepEqual(readRemaining({ ratelimit: 'limit=100, remaining=50, reset=30' }), [
      { calls: 50, seconds: 30, limit: 100 },
    ])
  })

  it('reads the form of drafts since 08, with several policies', () => {
    assert.deepEqual(readRemaining({ ratelimit: '"default";r=50;t=30, "daily";r=7;t=900' }), [
      { calls: 50, seconds: 30, limit: undefined },
      { calls: 7, seconds: 900, limit: undefined },
    ])
  })

  it('uses the limit and the window of the policy with the same name', () => {
    const { remaining } = read({
      'ratelimit-policy': '"burst";q=300;w=60, "daily";q=10000;w=86400',
      ratelimit: '"daily";r=50;t=30',
    })
    const [daily] = remaining
    assert.equal(daily?.limit, DAY.limit)
    assert.equal(daily?.windowMs, DAY.windowMs)
  })

  it('assumes the whole window if a draft allows an answer without a reset', () => {
    const headers = { 'ratelimit-policy': '"a";q=300;w=60', ratelimit: '"a";r=50' }
    assert.deepEqual(readRemaining(headers), [{ calls: 50, seconds: 60, limit: 300 }])
  })

  it('ignores quotas that do not count calls', () => {
    const policy = '"bytes";q=65535;qu="content-bytes";w=10, "calls";q=300;w=60'
    const headers = { 'ratelimit-policy': policy, ratelimit: '"bytes";r=0;t=9, "calls";r=50;t=30' }
    assert.deepEqual(readRemaining(headers), [{ calls: 50, seconds: 30, limit: 300 }])
  })

  it('reads the X- aliases, whose reset is a Unix time', () => {
    const aliases = {
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '290',
      'x-ratelimit-reset': `${NOW_MS / 1_000 + 50}`,
    }
    assert.deepEqual(readRemaining(aliases), [{ calls: 290, seconds: 50, limit: 300 }])
  })

  it("compares an alias's reset with the date of the answer, not with the local clock", () => {
    const theirsMs = NOW_MS + 5 * 3_600_000
    const aliases = {
      date: new Date(theirsMs).toUTCString(),
      'x-ratelimit-remaining': '290',
      'x-ratelimit-reset': `${theirsMs / 1_000 + 50}`,
    }
    assert.deepEqual(readRemaining(aliases), [{ calls: 290, seconds: 50, limit: undefined }])
  })

  it("treats an alias's reset in the past as now", () => {
    const reset = `${NOW_MS / 1_000 - 50}`
    const [remaining] = readRemaining({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })
    assert.equal(remaining?.seconds, 0)
  })

  it("treats an alias's reset that cannot be a Unix time as seconds", () => {
    const [remaining] = readRemaining({ 'x-ratelimit-remaining': '290', 'x-ratelimit-reset': '50' })
    assert.equal(remaining?.seconds, 50)
  })

  const aliases = { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '10' }

  it('prefers the standard fields to the aliases', () => {
    const fields = { 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }
    assert.deepEqual(
      readRemaining({ ...fields, ...aliases }).map(({ calls }) => calls),
      [290],
    )
  })

  it('reads the aliases if the standard fields are malformed', () => {
    const fields = { 'ratelimit-remaining': 'plenty', 'ratelimit-reset': '50' }
    assert.deepEqual(
      readRemaining({ ...fields, ...aliases }).map(({ calls }) => calls),
      [1],
    )
  })

  it('reads the fields of several rate limiters in order', () => {
    const headers = {
      'ratelimit-limit': ['300', '10000'],
      'ratelimit-remaining': ['290', '5'],
      'ratelimit-reset': '50, 900',
    }
    assert.deepEqual(readRemaining(headers), [
      { calls: 290, seconds: 50, limit: 300 },
      { calls: 5, seconds: 900, limit: 10_000 },
    ])
  })

  for (const value of ['-1', '1.5', '1e3', '', ' ', 'NaN', '0x10', '9'.repeat(13), '١٢']) {
    it(`ignores the malformed number ${JSON.stringify(value)}`, () => {
      assert.deepEqual(readRemaining({ 'ratelimit-remaining': value, 'ratelimit-reset': '50' }), [])
      assert.deepEqual(readRemaining({ 'ratelimit-remaining': '50', 'ratelimit-reset': value }), [])
    })
  }

  it('ignores a reset more than a year ahead', () => {
    assert.deepEqual(
      readRemaining({ 'ratelimit-remaining': '0', 'ratelimit-reset': '31622401' }),
      [],
    )
  })
})

describe('rate limit headers: hostile input', () => {
  const NAMES = [
    'ratelimit-policy',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'ratelimit',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
    'date',
  ]
  /** Texts composed of the tokens of the grammars, so that many are almost valid. */
  const word = fc.constantFrom(
    ...['"', '\\', ',', ';', '=', ' ', '-', '.', ':', 'q', 'w', 'r', 't', 'pk', 'qu', 'a'],
    ...['limit', 'remaining', 'reset', '0', '1', '60', '300', '86400', '9999999999999999'],
  )
  const almost = fc.array(word, { maxLength: 40 }).map((words) => words.join(''))
  const value = fc.oneof(almost, fc.string(), fc.nat().map(String), fc.double().map(String))
  const headers = fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof(value, fc.array(value, { maxLength: 12 })),
  )

  it('never throws, and returns numbers in range and lists of bounded length', () => {
    fc.assert(
      fc.property(headers, (input) => {
        const { windows, remaining } = read(input)
        assert.ok(windows.length <= 8 && remaining.length <= 8)
        for (const { limit, windowMs } of windows) {
          assert.ok(Number.isSafeInteger(limit) && limit >= 1)
          assert.ok(Number.isSafeInteger(windowMs) && windowMs >= 1_000)
          assert.ok(windowMs <= 366 * 86_400_000)
        }
        for (const { calls, untilMs, limit } of remaining) {
          assert.ok(Number.isSafeInteger(calls) && calls >= 0)
          assert.ok(untilMs >= NOW_MS && untilMs <= NOW_MS + 366 * 86_400_000)
          assert.ok(limit === undefined || (Number.isSafeInteger(limit) && limit >= 1))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads every valid policy member beside a malformed one', () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 1e9 }),
      windowMs: fc.integer({ min: 1, max: 1e6 }).map((seconds) => seconds * 1_000),
    })
    fc.assert(
      fc.property(quota, quota, fc.boolean(), (first, second, isNew) => {
        fc.pre(first.windowMs !== second.windowMs)
        const text = [first, second].map(({ limit, windowMs }, index) =>
          isNew ? `"p${index}";q=${limit};w=${windowMs / 1_000}` : `${limit};w=${windowMs / 1_000}`,
        )
        const { windows } = read({ 'ratelimit-policy': `${text[0]}, nonsense, ${text[1]}` })
        assert.deepEqual(windows, [{ ...first }, { ...second }])
      }),
    )
  })

  const HUGE = 100_000
  const hostile: readonly (readonly [string, string | string[]])[] = [
    ['quotes', '"'.repeat(HUGE)],
    ['backslashes', `"${'\\'.repeat(HUGE)}`],
    ['commas', ','.repeat(HUGE)],
    ['semicolons', `1${';w=1'.repeat(HUGE / 4)}`],
    ['digits', '1'.repeat(HUGE)],
    ['spaces', ' '.repeat(HUGE)],
    ['headers', Array.from({ length: HUGE }, () => '"a";q=1;w=1;r=1;t=1')],
  ]
  for (const [name, value] of hostile) {
    it(`returns bounded lists for 100,000 ${name}`, () => {
      const input = Object.fromEntries(NAMES.map((header) => [header, value]))
      const { windows, remaining } = read(input)
      assert.ok(windows.length <= 8 && remaining.length <= 8)
    })
  }
})
