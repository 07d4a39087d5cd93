import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { Ledger } from '../../lib/sandbox/ledger.js'
import {
  type Sandbox,
  type SandboxCall,
  type SandboxOptions,
  startSandbox,
} from '../../lib/sandbox/sandbox.js'
import { CAMPAIGN, Caller, CLOSIENT_PATH, ENS_PATH, OFFER } from './caller.js'

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

  it('stores each call as it was received, and how it ended', async () => {
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
      campaigns: [CAMPAIGN],
      counted: 1,
      fault: null,
    })
  })

  it('stores a body that is not JSON as text', async () => {
    await start()
    await caller.ens({ body: '{"campaignId":' })
    assert.equal(sandbox.ens.calls[0]?.body, '{"campaignId":')
  })

  it('stores no credentials, right or wrong', async () => {
    const rightKey = 'canary-right-key'
    await start({ ens: { apiKey: rightKey }, closient: { apiKey: `csb_${rightKey}` } })
    const headers = { cookie: 'canary-cookie', 'proxy-authorization': 'canary-proxy' }
    await caller.ens({ headers })
    await caller.closient({ headers })
    await caller.ens({ headers: { authorization: 'Bearer canary-wrong' } })
    await caller.closient({ headers: { 'x-api-key': 'canary-wrong' } })
    const stored = inspect([sandbox.ens.calls, sandbox.closient.calls], { depth: 9 })
    assert.equal(stored.includes('canary'), false, stored)
    assert.equal(sandbox.ens.calls[0]?.headers.authorization, '[redacted]')
  })

  it('stores the key nowhere, wherever a caller puts it', async () => {
    const key = 'canary "key"/1'
    await start({ ens: { apiKey: key } })
    const encoded = encodeURIComponent(key)
    const escaped = JSON.stringify(key).replace('c', '\\u0063')
    const bodies = [
      { campaignId: 42, placement: key, nested: [{ key }] },
      `{"campaignId":42,"placement":${escaped},"location":"GB"}`,
      `not JSON, ${key}`,
    ]
    for (const body of bodies) {
      await caller.ens({ path: `${ENS_PATH}?key=${encoded}`, body, headers: { via: '1.1 x' } })
    }
    await caller.ens({ path: `${ENS_PATH}?key=${encoded.replace('%2F', '%2f')}` })
    assert.equal(sandbox.ens.calls[0]?.path, `${ENS_PATH}?key=[redacted]`)
    assert.equal(sandbox.ens.impressions[1]?.placement, '[redacted]')
    const stored = inspect([sandbox.ens.calls, sandbox.ens.impressions], { depth: 9 })
    assert.equal(stored.includes('canary'), false, stored)
  })

  it('names the campaigns that a call carried, even if it counted none', async () => {
    await start()
    sandbox.closient.fault({ status: 500 })
    await caller.closient()
    await caller.ens({ body: {} })
    const [failed] = sandbox.closient.calls
    assert.deepEqual([failed?.campaigns, failed?.counted], [[CAMPAIGN], 0])
    assert.deepEqual(sandbox.ens.calls[0]?.campaigns, [])
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

  it('records a caller that disconnects before the response', async () => {
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

  it('drops the oldest calls beyond its limit, but keeps the totals', async () => {
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

  it('is limited in bytes as well, because a body may be large', async () => {
    await start()
    const placement = 'x'.repeat(1024 * 1024 - 500)
    for (let call = 0; call < 70; call += 1) {
      await caller.ens({ body: { campaignId: 1, placement } })
    }
    assert.equal(sandbox.ens.totals.calls, 70)
    assert.equal(sandbox.ens.calls.length, 64)
    assert.equal(sandbox.ens.impressions.length, 64)
  })

  it('is limited in memory, which JSON of small objects takes much of', () => {
    const ledger = new Ledger({ maxCalls: 1_000, maxImpressions: 1 })
    const body = Array.from({ length: 300_000 }, () => ({}))
    for (let call = 0; call < 10; call += 1) ledger.addCall(buildCall({ body }))
    assert.ok(ledger.calls().length <= 3, `${ledger.calls().length} calls`)
  })

  it('is limited in bytes of headers as well', () => {
    const ledger = new Ledger({ maxCalls: 100_000, maxImpressions: 1 })
    const headers = { 'x-long': 'x'.repeat(16 * 1024) }
    for (let call = 0; call < 5_000; call += 1) ledger.addCall(buildCall({ headers }))
    assert.equal(ledger.totals().calls, 5_000)
    assert.equal(ledger.calls().length, 4_074)
  })

  it('resolves received() once there are enough impressions', async () => {
    await start()
    let hasResolved = false
    const waiting = sandbox.closient.received(3).then(() => {
      hasResolved = true
    })
    await caller.closient()
    assert.equal(hasResolved, false)
    await caller.closient({
      body: { impressions: [{ campaign_id: CAMPAIGN }, { campaign_id: OFFER }] },
    })
    await waiting
    await sandbox.closient.received(3)
  })

  it('resolves called() for calls that counted nothing as well', async () => {
    await start()
    const waiting = sandbox.ens.called(1)
    await caller.ens({ body: {} })
    await waiting
  })

  it('rejects received() if the sandbox closes first', async () => {
    await start()
    const waiting = sandbox.ens.received(2)
    await caller.ens()
    await Promise.all([
      assert.rejects(waiting, /the sandbox closed after 1 of 2 impressions/),
      sandbox.close(),
    ])
  })

  it('notifies listeners of calls and impressions until they are removed', async () => {
    await start()
    const events: string[] = []
    const removeListeners = [
      sandbox.ens.on('call', ({ id, end }) => events.push(`call ${id} ${end}`)),
      sandbox.ens.on('impression', ({ campaignId }) => events.push(`impression ${campaignId}`)),
      sandbox.ens.on('end', ({ id, end }) => events.push(`end ${id} ${end}`)),
    ]
    await caller.ens()
    for (const removeListener of removeListeners) removeListener()
    await caller.ens()
    assert.deepEqual(events, ['call 1 pending', 'impression 42', 'end 1 answered'])
  })

  it('returns copies that later calls do not change', async () => {
    await start()
    const { calls } = sandbox.ens
    await caller.ens()
    assert.deepEqual(calls, [])
  })

  it('starts again on reset()', async () => {
    await start()
    await caller.ens()
    sandbox.ens.fault({ status: 500 })
    sandbox.reset()
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.calls[0]?.id, 1)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('provides the environment variables for both networks', async () => {
    await start()
    assert.deepEqual(sandbox.env, {
      ENS_API_KEY: sandbox.ens.apiKey,
      ENS_BASE_URL: sandbox.ens.baseUrl,
      CLOSIENT_API_KEY: sandbox.closient.apiKey,
      CLOSIENT_BASE_URL: sandbox.closient.baseUrl,
    })
  })
})

function buildCall(changes: Partial<SandboxCall>): SandboxCall {
  return {
    id: 0,
    at: 0,
    method: 'POST',
    path: '/',
    headers: {},
    authorization: 'right',
    campaigns: [],
    body: undefined,
    bodyBytes: 0,
    status: null,
    end: 'pending',
    counted: 0,
    fault: null,
    ...changes,
  }
}
