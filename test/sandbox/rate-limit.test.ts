import assert from 'node:assert/strict'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../lib/sandbox/sandbox.js'
import { Caller } from './caller.js'

// 40 s into a minute, to tell windows aligned to the minute from others.
const START = Date.UTC(2026, 2, 31, 12, 0, 40)

describe("The sandbox's rate limit", () => {
  let sandbox: Sandbox
  let caller: Caller
  let now: number

  const start = async (closient: SandboxOptions['closient']) => {
    now = START
    sandbox = await startSandbox({ now: () => now, closient: closient ?? {} })
    caller = new Caller(sandbox)
  }
  const twoPerMinute = { windows: [{ limit: 2, windowMs: 60_000 }] }
  const sendCalls = async (calls: number) => {
    const statuses: number[] = []
    for (let call = 0; call < calls; call += 1) statuses.push((await caller.closient()).status)
    return statuses
  }
  const pickRateLimitHeaders = (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes('ratelimit')))

  afterEach(async () => {
    await caller.close()
    await sandbox.close()
  })

  it('is reported as published, in every documented form', async () => {
    await start({})
    assert.deepEqual(pickRateLimitHeaders((await caller.closient()).headers), {
      'ratelimit-policy': '300;w=60, 10000;w=86400',
      'ratelimit-limit': '300',
      'ratelimit-remaining': '299',
      'ratelimit-reset': '60',
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '299',
      'x-ratelimit-reset': `${START / 1000 + 60}`,
    })
  })

  it('is reported on errors too, which use calls like any call with the right key', async () => {
    await start({})
    await caller.closient({ body: 'not json' })
    const { headers } = await caller.closient({ path: '/nowhere' })
    assert.equal(headers['ratelimit-remaining'], '298')
    const unauthorized = await caller.closient({ headers: { 'x-api-key': 'csb_wrong_key' } })
    assert.equal(unauthorized.headers['ratelimit-remaining'], '298')
  })

  it("is reported in the IETF draft's combined form on demand", async () => {
    await start({ rateLimitHeaders: ['combined'] })
    assert.deepEqual(pickRateLimitHeaders((await caller.closient()).headers), {
      ratelimit: '"default";r=299;t=60',
    })
  })

  it('is not reported if no form is selected', async () => {
    await start({ rateLimitHeaders: [] })
    assert.deepEqual(pickRateLimitHeaders((await caller.closient()).headers), {})
  })

  it('is reported for the most restrictive window', async () => {
    await start({
      windows: [
        { limit: 10, windowMs: 60_000 },
        { limit: 12, windowMs: 86_400_000 },
      ],
    })
    sandbox.closient.spend(8)
    assert.equal((await caller.closient()).headers['ratelimit-limit'], '10')
    now += 60_000
    const { headers } = await caller.closient()
    assert.equal(headers['ratelimit-limit'], '12')
    assert.equal(headers['ratelimit-remaining'], '2')
    assert.equal(headers['ratelimit-reset'], `${86_400 - 60}`)
  })

  it('responds 429 with the wait when a window is exhausted, and counts nothing', async () => {
    await start(twoPerMinute)
    assert.deepEqual(await sendCalls(2), [200, 200])
    now += 15_500
    const { status, headers, json } = await caller.closient()
    assert.equal(status, 429)
    assert.equal(headers['retry-after'], '45')
    assert.equal(headers['ratelimit-remaining'], '0')
    assert.equal(headers['ratelimit-reset'], '45')
    assert.deepEqual(json(), {
      type: 'https://closient.com/docs/errors/rate_limited',
      title: 'Too Many Requests',
      status: 429,
      detail: 'The rate limit of this API key is exhausted.',
      error_code: 'rate_limited',
      retryable: true,
      timestamp: '2026-03-31T12:00:55+00:00',
      retry_after_seconds: 45,
    })
    assert.equal(sandbox.closient.totals.impressions, 2)
  })

  it('reports the wait for the last exhausted window to reset', async () => {
    await start({
      windows: [
        { limit: 1, windowMs: 60_000 },
        { limit: 1, windowMs: 3_600_000 },
      ],
    })
    await caller.closient()
    assert.equal((await caller.closient()).headers['retry-after'], '3600')
  })

  it('starts a fixed window with the first call after the previous one ended', async () => {
    await start(twoPerMinute)
    assert.deepEqual(await sendCalls(3), [200, 200, 429])
    now += 59_999
    assert.deepEqual(await sendCalls(1), [429])
    now += 1
    assert.deepEqual(await sendCalls(3), [200, 200, 429])
  })

  it('starts a "midnight" window at a multiple of its length', async () => {
    await start({ ...twoPerMinute, windowKind: 'midnight' })
    assert.deepEqual(await sendCalls(3), [200, 200, 429])
    now += 19_999
    assert.deepEqual(await sendCalls(1), [429])
    now += 1
    const { status, headers } = await caller.closient()
    assert.equal(status, 200)
    assert.equal(headers['ratelimit-reset'], '60')
  })

  it('makes the calls of a sliding window available again one by one', async () => {
    await start({ ...twoPerMinute, windowKind: 'sliding' })
    await caller.closient()
    now += 20_000
    assert.deepEqual(await sendCalls(2), [200, 429])
    now += 39_999
    assert.deepEqual(await sendCalls(1), [429])
    now += 1
    assert.deepEqual(await sendCalls(2), [200, 429])
    now += 20_000
    assert.deepEqual(await sendCalls(2), [200, 429])
  })

  it('lets another program with the same key use up what is left, and no more', async () => {
    await start(twoPerMinute)
    await caller.closient()
    assert.equal(sandbox.closient.spend(5), 1)
    assert.deepEqual(await sendCalls(1), [429])
    assert.deepEqual(
      sandbox.closient.budget.map(({ remaining }) => remaining),
      [0],
    )
  })

  it('does not exist without a window', async () => {
    await start({ windows: [] })
    const { status, headers } = await caller.closient()
    assert.equal(status, 200)
    assert.deepEqual(pickRateLimitHeaders(headers), {})
  })

  it('makes every call available again on reset()', async () => {
    await start(twoPerMinute)
    await sendCalls(2)
    sandbox.reset()
    assert.deepEqual(await sendCalls(1), [200])
  })
})
