import assert from 'node:assert/strict'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../lib/sandbox/sandbox.js'
import { Caller } from './caller.js'

// 40 s into a minute, so that a window aligned to the minute shows.
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
  const small = { windows: [{ limit: 2, windowMs: 60_000 }] }
  const statuses = async (calls: number) => {
    const heard: number[] = []
    for (let call = 0; call < calls; call += 1) heard.push((await caller.closient()).status)
    return heard
  }
  const told = (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes('ratelimit')))

  afterEach(async () => {
    await caller.close()
    await sandbox.close()
  })

  it('tells the published windows in every documented form', async () => {
    await start({})
    assert.deepEqual(told((await caller.closient()).headers), {
      'ratelimit-policy': '300;w=60, 10000;w=86400',
      'ratelimit-limit': '300',
      'ratelimit-remaining': '299',
      'ratelimit-reset': '60',
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '299',
      'x-ratelimit-reset': `${START / 1000 + 60}`,
    })
  })

  it('tells them on errors as well, which spend like any call with the right key', async () => {
    await start({})
    await caller.closient({ body: 'not json' })
    const { headers } = await caller.closient({ path: '/nowhere' })
    assert.equal(headers['ratelimit-remaining'], '298')
    const unauthorized = await caller.closient({ headers: { 'x-api-key': 'csb_wrong_key' } })
    assert.equal(unauthorized.headers['ratelimit-remaining'], '298')
  })

  it("tells in the IETF draft's combined form on demand", async () => {
    await start({ rateLimitHeaders: ['combined'] })
    assert.deepEqual(told((await caller.closient()).headers), {
      ratelimit: '"default";r=299;t=60',
    })
  })

  it('tells nothing on demand', async () => {
    await start({ rateLimitHeaders: [] })
    assert.deepEqual(told((await caller.closient()).headers), {})
  })

  it('tells of the most restrictive window', async () => {
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

  it('answers 429 when a window is exhausted, says until when, and counts nothing', async () => {
    await start(small)
    assert.deepEqual(await statuses(2), [200, 200])
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

  it('names the wait for all exhausted windows, not for the first to reset', async () => {
    await start({
      windows: [
        { limit: 1, windowMs: 60_000 },
        { limit: 1, windowMs: 3_600_000 },
      ],
    })
    await caller.closient()
    assert.equal((await caller.closient()).headers['retry-after'], '3600')
  })

  it('starts a fixed window with the first call after the last one ended', async () => {
    await start(small)
    assert.deepEqual(await statuses(3), [200, 200, 429])
    now += 59_999
    assert.deepEqual(await statuses(1), [429])
    now += 1
    assert.deepEqual(await statuses(3), [200, 200, 429])
  })

  it('starts a window at midnight, or at the full minute, where told so', async () => {
    await start({ ...small, windowKind: 'midnight' })
    assert.deepEqual(await statuses(3), [200, 200, 429])
    now += 19_999
    assert.deepEqual(await statuses(1), [429])
    now += 1
    const { status, headers } = await caller.closient()
    assert.equal(status, 200)
    assert.equal(headers['ratelimit-reset'], '60')
  })

  it('gives the calls of a sliding window back one by one', async () => {
    await start({ ...small, windowKind: 'sliding' })
    await caller.closient()
    now += 20_000
    assert.deepEqual(await statuses(2), [200, 429])
    now += 39_999
    assert.deepEqual(await statuses(1), [429])
    now += 1
    assert.deepEqual(await statuses(2), [200, 429])
    now += 20_000
    assert.deepEqual(await statuses(2), [200, 429])
  })

  it('lets another program with the same key spend what is left, and no more', async () => {
    await start(small)
    await caller.closient()
    assert.equal(sandbox.closient.spend(5), 1)
    assert.deepEqual(await statuses(1), [429])
    assert.deepEqual(
      sandbox.closient.budget.map(({ remaining }) => remaining),
      [0],
    )
  })

  it('has no limit where there is no window', async () => {
    await start({ windows: [] })
    const { status, headers } = await caller.closient()
    assert.equal(status, 200)
    assert.deepEqual(told(headers), {})
  })

  it('gives every call back on reset()', async () => {
    await start(small)
    await statuses(2)
    sandbox.reset()
    assert.deepEqual(await statuses(1), [200])
  })
})
