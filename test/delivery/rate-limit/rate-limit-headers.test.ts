import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRateLimits } from '../../../lib/delivery/rate-limit/rate-limit-headers.js'
import type { Answer } from '../../../lib/networks/verdict.js'

const NOW_MS = Date.UTC(2026, 0, 1, 12)

const read = (headers: Answer['headers']) =>
  readRateLimits({ status: 200, headers, body: '', atMs: NOW_MS })

/** What is left, by calls and seconds. */
const left = (headers: Answer['headers']) =>
  read(headers).remaining.map(({ calls, untilMs, limit }) => ({
    calls,
    seconds: (untilMs - NOW_MS) / 1_000,
    limit,
  }))

const MINUTE = { limit: 300, windowMs: 60_000 }
const DAY = { limit: 10_000, windowMs: 86_400_000 }

describe('rate limit headers: the policy', () => {
  const policies: readonly (readonly [string, string | string[]])[] = [
    ["is read as Closient's document writes it", '300;w=60, 10000;w=86400'],
    ['is read with spaces anywhere', ' 300 ; w=60 ,10000;  w=86400 '],
    ['is read from several headers', ['300;w=60', '10000;w=86400']],
    ['may have other parameters', '300;w=60;burst=10;comment="a, b; c", 10000;w=86400'],
    ['is read as drafts since 08 write it', '"burst";q=300;w=60,"daily";q=10000;w=86400'],
    ['may have names with separators in them', '"a,b;w=1";q=300;w=60,"\\"";q=10000;w=86400'],
    ['may have unquoted names', 'burst;q=300;w=60, daily;q=10000;w=86400'],
    ['may have a partition key', '"a";q=300;w=60;pk=:cHsdsRa894==:, "b";q=10000;w=86400'],
    ['may have names that are numbers', '"1";q=300;w=60, "2";q=10000;w=86400'],
    ['may say that it counts requests', '"a";q=300;qu="requests";w=60, "b";q=10000;w=86400'],
  ]
  for (const [name, value] of policies) {
    it(name, () => {
      const { windows, isWholePolicy } = read({ 'ratelimit-policy': value })
      assert.deepEqual(windows, [MINUTE, DAY])
      assert.equal(isWholePolicy, true)
    })
  }

  it('stands behind the limit before draft 05', () => {
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
    it(`is read but for what makes no sense: ${member}`, () => {
      const { windows, isWholePolicy } = read({ 'ratelimit-policy': ['300;w=60', member] })
      assert.deepEqual(windows, [MINUTE])
      assert.equal(isWholePolicy, false)
    })
  }

  it('has the lower of two quotas for the same length of time', () => {
    const { windows } = read({ 'ratelimit-policy': '500;w=60, 300;w=60, 400;w=60' })
    assert.deepEqual(windows, [MINUTE])
  })

  it('has a bounded number of windows', () => {
    const many = Array.from({ length: 100 }, (_, index) => `5;w=${index + 1}`).join(', ')
    const { windows, isWholePolicy } = read({ 'ratelimit-policy': many })
    assert.equal(windows.length, 8)
    assert.equal(isWholePolicy, false)
  })
})

describe('rate limit headers: what is left', () => {
  it('is read from the three fields', () => {
    const fields = { 'ratelimit-limit': '300', 'ratelimit-remaining': '290' }
    assert.deepEqual(left({ ...fields, 'ratelimit-reset': '50' }), [
      { calls: 290, seconds: 50, limit: 300 },
    ])
  })

  it('is read without a limit', () => {
    assert.deepEqual(left({ 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }), [
      { calls: 290, seconds: 50, limit: undefined },
    ])
  })

  it('is read without a limit that makes no sense', () => {
    const limit = { 'ratelimit-limit': 'many' }
    assert.deepEqual(left({ ...limit, 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }), [
      { calls: 290, seconds: 50, limit: undefined },
    ])
  })

  it('is read in the form of draft 07', () => {
    assert.deepEqual(left({ ratelimit: 'limit=100, remaining=50, reset=30' }), [
      { calls: 50, seconds: 30, limit: 100 },
    ])
  })

  it('is read in the form of the drafts since 08, for several policies', () => {
    assert.deepEqual(left({ ratelimit: '"default";r=50;t=30, "daily";r=7;t=900' }), [
      { calls: 50, seconds: 30, limit: undefined },
      { calls: 7, seconds: 900, limit: undefined },
    ])
  })

  it('takes limit and window from the policy of the same name', () => {
    const { remaining } = read({
      'ratelimit-policy': '"burst";q=300;w=60, "daily";q=10000;w=86400',
      ratelimit: '"daily";r=50;t=30',
    })
    const [daily] = remaining
    assert.equal(daily?.limit, DAY.limit)
    assert.equal(daily?.windowMs, DAY.windowMs)
  })

  it('lasts for the whole window where a draft allows to leave out the reset', () => {
    const headers = { 'ratelimit-policy': '"a";q=300;w=60', ratelimit: '"a";r=50' }
    assert.deepEqual(left(headers), [{ calls: 50, seconds: 60, limit: 300 }])
  })

  it('is not read of what counts something else than calls', () => {
    const policy = '"bytes";q=65535;qu="content-bytes";w=10, "calls";q=300;w=60'
    const headers = { 'ratelimit-policy': policy, ratelimit: '"bytes";r=0;t=9, "calls";r=50;t=30' }
    assert.deepEqual(left(headers), [{ calls: 50, seconds: 30, limit: 300 }])
  })

  it('is read from the aliases, whose reset is a Unix time', () => {
    const aliases = {
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '290',
      'x-ratelimit-reset': `${NOW_MS / 1_000 + 50}`,
    }
    assert.deepEqual(left(aliases), [{ calls: 290, seconds: 50, limit: 300 }])
  })

  it("reads the aliases' reset against the answer's own date, however wrong our clock is", () => {
    const theirsMs = NOW_MS + 5 * 3_600_000
    const aliases = {
      date: new Date(theirsMs).toUTCString(),
      'x-ratelimit-remaining': '290',
      'x-ratelimit-reset': `${theirsMs / 1_000 + 50}`,
    }
    assert.deepEqual(left(aliases), [{ calls: 290, seconds: 50, limit: undefined }])
  })

  it("takes an alias's reset that has passed for now", () => {
    const reset = `${NOW_MS / 1_000 - 50}`
    const [told] = left({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })
    assert.equal(told?.seconds, 0)
  })

  it("takes an alias's reset that can be no Unix time for seconds", () => {
    const [told] = left({ 'x-ratelimit-remaining': '290', 'x-ratelimit-reset': '50' })
    assert.equal(told?.seconds, 50)
  })

  const aliases = { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '10' }

  it('is read from the aliases only where nothing else tells', () => {
    const fields = { 'ratelimit-remaining': '290', 'ratelimit-reset': '50' }
    assert.deepEqual(
      left({ ...fields, ...aliases }).map(({ calls }) => calls),
      [290],
    )
  })

  it('is read from the aliases where the fields make no sense', () => {
    const fields = { 'ratelimit-remaining': 'plenty', 'ratelimit-reset': '50' }
    assert.deepEqual(
      left({ ...fields, ...aliases }).map(({ calls }) => calls),
      [1],
    )
  })

  it('is read once for each rate limiter that added its fields, in their order', () => {
    const headers = {
      'ratelimit-limit': ['300', '10000'],
      'ratelimit-remaining': ['290', '5'],
      'ratelimit-reset': '50, 900',
    }
    assert.deepEqual(left(headers), [
      { calls: 290, seconds: 50, limit: 300 },
      { calls: 5, seconds: 900, limit: 10_000 },
    ])
  })

  for (const value of ['-1', '1.5', '1e3', '', ' ', 'NaN', '0x10', '9'.repeat(13), '١٢']) {
    it(`is not read from the number ${JSON.stringify(value)}`, () => {
      assert.deepEqual(left({ 'ratelimit-remaining': value, 'ratelimit-reset': '50' }), [])
      assert.deepEqual(left({ 'ratelimit-remaining': '50', 'ratelimit-reset': value }), [])
    })
  }

  it('is not believed to last for more than a year', () => {
    assert.deepEqual(left({ 'ratelimit-remaining': '0', 'ratelimit-reset': '31622401' }), [])
  })
})

describe('rate limit headers: anything at all', () => {
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
  /** Texts made of what the grammars are made of, so that they come close to making sense. */
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

  it('never throws, and yields finite numbers in range and bounded lists', () => {
    fc.assert(
      fc.property(headers, (any) => {
        const { windows, remaining } = read(any)
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

  it('reads every policy that makes sense, whatever else stands beside it', () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 1e9 }),
      windowMs: fc.integer({ min: 1, max: 1e6 }).map((seconds) => seconds * 1_000),
    })
    fc.assert(
      fc.property(quota, quota, fc.boolean(), (one, other, isNew) => {
        fc.pre(one.windowMs !== other.windowMs)
        const text = [one, other].map(({ limit, windowMs }, place) =>
          isNew ? `"p${place}";q=${limit};w=${windowMs / 1_000}` : `${limit};w=${windowMs / 1_000}`,
        )
        const { windows } = read({ 'ratelimit-policy': `${text[0]}, nonsense, ${text[1]}` })
        assert.deepEqual(windows, [{ ...one }, { ...other }])
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
    it(`makes little of 100,000 ${name}`, () => {
      const any = Object.fromEntries(NAMES.map((header) => [header, value]))
      const { windows, remaining } = read(any)
      assert.ok(windows.length <= 8 && remaining.length <= 8)
    })
  }
})
