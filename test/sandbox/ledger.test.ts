import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../lib/sandbox/sandbox.js'
import { CAMPAIGN, Caller, CLOSIENT_PATH, OFFER } from './caller.js'

describe("The sandbox's ledger", () => {
  let sandbox: Sandbox
  let caller: Caller

  const start = async (options: SandboxOptions = {}) => {
    sandbox = await startSandbox(options)
    caller = new Caller(sandbox)
  }
  afterEach(async () => {
    await caller.close()
    await sandbox.close()
  })

  it('holds each call as it was received, and how it ended', async () => {
    await start({ now: () => 1_790_000_000_000 })
    const body = { impressions: [{ campaign_id: CAMPAIGN, extra: [1, null] }] }
    const path = `${CLOSIENT_PATH}?a=1`
    await caller.closient({ path, body, headers: { 'X-Extra': 'x' } })
    const [call] = sandbox.closient.calls
    assert.ok(call)
    const { headers, ...rest } = call
    assert.equal(headers['x-extra'], 'x')
    assert.deepEqual(rest, {
      id: 1,
      at: 1_790_000_000_000,
      method: 'POST',
      path,
      authorization: 'right',
      body,
      bodyBytes: JSON.stringify(body).length,
      status: 200,
      end: 'answered',
      counted: 1,
      fault: null,
    })
  })

  it('keeps a body that is not JSON as text', async () => {
    await start()
    await caller.ens({ body: '{"campaignId":' })
    assert.equal(sandbox.ens.calls[0]?.body, '{"campaignId":')
  })

  it('keeps no credentials, right or wrong', async () => {
    const right = 'canary-right-key'
    await start({ ens: { apiKey: right }, closient: { apiKey: `csb_${right}` } })
    const headers = { cookie: 'canary-cookie', 'proxy-authorization': 'canary-proxy' }
    await caller.ens({ headers })
    await caller.closient({ headers })
    await caller.ens({ headers: { authorization: 'Bearer canary-wrong' } })
    await caller.closient({ headers: { 'x-api-key': 'canary-wrong' } })
    const kept = inspect([sandbox.ens.calls, sandbox.closient.calls], { depth: 9 })
    assert.equal(kept.includes('canary'), false, kept)
    assert.equal(sandbox.ens.calls[0]?.headers.authorization, '[redacted]')
  })

  it('counts how calls ended', async () => {
    await start()
    sandbox.ens.fault({ reset: 'after-read' }, { times: 1 })
    await caller.ens().catch(() => {})
    await caller.ens()
    await caller.ens({ body: {} })
    assert.deepEqual(sandbox.ens.totals, {
      calls: 3,
      impressions: 2,
      ends: { reset: 1, '200': 1, '400': 1 },
      resetConnections: 0,
    })
  })

  it('notices a caller that hangs up before the answer', async () => {
    await start()
    sandbox.ens.fault({ delayMs: 60_000 })
    const call = caller.ens().catch(() => {})
    await sandbox.ens.called(1)
    const ended = new Promise<string>((resolve) => {
      sandbox.ens.on('end', ({ end }) => resolve(end))
    })
    await caller.close()
    await call
    assert.equal(await ended, 'aborted')
  })

  it('forgets the oldest calls beyond its bound, but no total', async () => {
    await start({ maxCalls: 3, maxImpressions: 2 })
    for (let campaignId = 1; campaignId <= 10; campaignId += 1) {
      await caller.ens({ body: { campaignId, placement: 'x' } })
    }
    assert.deepEqual(
      sandbox.ens.calls.map(({ id }) => id),
      [8, 9, 10],
    )
    assert.deepEqual(
      sandbox.ens.impressions.map(({ campaignId }) => campaignId),
      [9, 10],
    )
    assert.equal(sandbox.ens.totals.impressions, 10)
  })

  it('is bounded in bytes as well, for a body may be large', async () => {
    await start()
    const placement = 'x'.repeat(1024 * 1024 - 100)
    for (let call = 0; call < 70; call += 1) {
      await caller.ens({ body: { campaignId: 1, placement } })
    }
    assert.equal(sandbox.ens.totals.calls, 70)
    assert.equal(sandbox.ens.calls.length, 64)
    assert.equal(sandbox.ens.impressions.length, 64)
  })

  it('wakes who waits for impressions, once there are enough', async () => {
    await start()
    let woken = false
    const waiting = sandbox.closient.received(3).then(() => {
      woken = true
    })
    await caller.closient()
    assert.equal(woken, false)
    await caller.closient({
      body: { impressions: [{ campaign_id: CAMPAIGN }, { campaign_id: OFFER }] },
    })
    await waiting
    await sandbox.closient.received(3)
  })

  it('wakes who waits for calls, also of those that counted nothing', async () => {
    await start()
    const waiting = sandbox.ens.called(1)
    await caller.ens({ body: {} })
    await waiting
  })

  it('tells whoever waits in vain, when the sandbox closes', async () => {
    await start()
    const waiting = sandbox.ens.received(2)
    await caller.ens()
    await Promise.all([
      assert.rejects(waiting, /the sandbox closed after 1 of 2 impressions/),
      sandbox.close(),
    ])
  })

  it('tells listeners of calls and impressions until they leave', async () => {
    await start()
    const heard: string[] = []
    const leave = [
      sandbox.ens.on('call', ({ id, end }) => heard.push(`call ${id} ${end}`)),
      sandbox.ens.on('impression', ({ campaignId }) => heard.push(`impression ${campaignId}`)),
      sandbox.ens.on('end', ({ id, end }) => heard.push(`end ${id} ${end}`)),
    ]
    await caller.ens()
    for (const stop of leave) stop()
    await caller.ens()
    assert.deepEqual(heard, ['call 1 pending', 'impression 42', 'end 1 answered'])
  })

  it('is a copy, which later calls do not change', async () => {
    await start()
    const { calls } = sandbox.ens
    await caller.ens()
    assert.deepEqual(calls, [])
  })

  it('begins anew on reset()', async () => {
    await start()
    await caller.ens()
    sandbox.ens.fault({ status: 500 })
    sandbox.reset()
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.calls[0]?.id, 1)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('points a server at both networks by its environment', async () => {
    await start()
    assert.deepEqual(sandbox.env, {
      ENS_API_KEY: sandbox.ens.apiKey,
      ENS_BASE_URL: sandbox.ens.baseUrl,
      CLOSIENT_API_KEY: sandbox.closient.apiKey,
      CLOSIENT_BASE_URL: sandbox.closient.baseUrl,
    })
  })
})
