// Tests lib/delivery/outbox/shared-outbox.ts
// Tests lib/delivery/outbox/exchange-queue.ts

import assert from 'node:assert/strict'
import { ok, type Script, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { CountingNetwork } from './counting-network.js'
import { FailingStore } from './failing-store.js'
import { FleetProcess, LEASE_MS } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const MINUTE_MS = 60_000

describe('a window of a fleet is not exceeded', () => {
  const LIMIT = 8
  const WINDOWS = [{ limit: LIMIT, windowMs: MINUTE_MS }]

  /** A sender that has spent its window on calls of three seconds, and sends all it can from then on. */
  async function createSender() {
    const clock = new VirtualClock()
    const memory = new MemoryStore(clock.now)
    const network = new CountingNetwork(WINDOWS)
    let durationMs = 3_000
    const start = (store: FailingStore) => {
      const process = new FleetProcess({
        clock,
        store,
        network: { windows: WINDOWS, maxBatch: 1, connections: 8 },
        script: (call) => {
          network.receive(call, durationMs)
          process.transport.latencyMs = durationMs
          return ok
        },
      })
      process.delivery.suspendPacing()
      return process
    }
    const store = new FailingStore(memory)
    const sender = start(store)
    await clock.advanceAsync(100)
    for (let item = 0; item < LIMIT; item += 1) sender.push(item)
    await clock.advanceAsync(10_000)
    assert.equal(network.calls, LIMIT)
    durationMs = 5
    const trackFor = async (process: FleetProcess, seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        process.push(100 + second)
        await clock.advanceAsync(1_000)
      }
      network.assertWithinWindows(() => 0.5)
      assert(network.calls > LIMIT, 'nothing was sent')
    }
    return { clock, store, sender, start, trackFor, restart: () => start(new FailingStore(memory)) }
  }

  it('after an answer of the store was lost', async () => {
    const { clock, store, sender, trackFor } = await createSender()
    store.fails = 'after'
    await clock.advanceAsync(3_000)
    store.fails = 'never'
    await trackFor(sender, 90)
  })

  it('after a clean restart', async () => {
    const { clock, sender, restart, trackFor } = await createSender()
    await Promise.all([sender.delivery.close(), clock.advanceAsync(3_000)])
    sender.kill()
    await trackFor(restart(), 90)
  })

  it('after the sender was killed, and the next one restarted', async () => {
    const { clock, sender, restart, trackFor } = await createSender()
    sender.kill()
    const next = restart()
    await clock.advanceAsync(LEASE_MS + 3_000)
    await Promise.all([next.delivery.close(), clock.advanceAsync(3_000)])
    next.kill()
    await trackFor(restart(), 110)
  })

  it('after the sender stood still for longer than its lease, and is the sender again', async () => {
    const { clock, sender, restart, trackFor } = await createSender()
    sender.freeze()
    const next = restart()
    await clock.advanceAsync(LEASE_MS * 2)
    sender.thaw()
    await clock.advanceAsync(5_000)
    await Promise.all([next.delivery.close(), clock.advanceAsync(3_000)])
    next.kill()
    await trackFor(sender, 110)
  })

  it('when an answer has said that none is left, and an answer of the store was lost', async () => {
    const clock = new VirtualClock()
    const store = new FailingStore(new MemoryStore(clock.now))
    const network = { windows: [{ limit: 300, windowMs: MINUTE_MS }], maxBatch: 10 }
    const headers = {
      'ratelimit-limit': '300',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '50',
    }
    const script: Script = () => status(200, headers)
    const sender = new FleetProcess({ clock, store, network, script })
    await clock.advanceAsync(100)
    sender.push(1)
    await clock.advanceAsync(500)
    store.fails = 'after'
    await clock.advanceAsync(4_000)
    store.fails = 'never'
    await clock.advanceAsync(1_500)
    sender.push(2)
    await clock.advanceAsync(20_000)
    assert.equal(sender.transport.calls.length, 1)
    await clock.advanceAsync(30_000)
    assert.equal(sender.transport.calls.length, 2)
  })
})

describe('a window of a fleet whose sender splits a batch', () => {
  const WINDOWS = [{ limit: 60, windowMs: MINUTE_MS }]
  const BATCH = 256
  const isRefused = (item: number) => item < BATCH && item % 32 === 1

  /** A sender that has begun to split a batch into many calls. */
  async function createSender(callMs: number) {
    const clock = new VirtualClock()
    const memory = new MemoryStore(clock.now)
    const network = new CountingNetwork(WINDOWS)
    const start = (store: FailingStore) => {
      const process = new FleetProcess({
        clock,
        store,
        network: { windows: WINDOWS, maxBatch: BATCH, connections: 8 },
        script: (call) => {
          network.receive(call, callMs)
          return call.items.some(isRefused) ? status(422) : ok
        },
      })
      process.transport.latencyMs = callMs
      process.delivery.suspendPacing()
      return process
    }
    const store = new FailingStore(memory)
    const sender = start(store)
    await clock.advanceAsync(100)
    const next = start(new FailingStore(memory))
    await clock.advanceAsync(3_000)
    for (let item = 0; item < BATCH; item += 1) sender.push(item)
    const waitForCalls = async (count: number) => {
      while (network.calls < count) await clock.advanceAsync(1)
    }
    /** The next sender makes all the calls that it may. */
    const spendTheRest = async () => {
      await clock.advanceAsync(LEASE_MS + 3_000)
      for (let batch = 0; batch < 70; batch += 1) {
        for (let item = 0; item < BATCH; item += 1) next.push(1_000 * (batch + 1) + item)
        await clock.advanceAsync(200)
      }
      await clock.advanceAsync(2 * MINUTE_MS)
    }
    return { clock, store, sender, next, network, waitForCalls, spendTheRest }
  }

  for (const calls of [1, 5, 20, 40]) {
    it(`is not exceeded by the next one when it is killed after ${calls} calls`, async () => {
      const { sender, next, network, waitForCalls, spendTheRest } = await createSender(5)
      await waitForCalls(calls)
      sender.kill()
      await spendTheRest()
      network.assertWithinWindows(() => 0.5)
      assert(next.transport.calls.length > 60 - calls - 8)
    })

    it(`is not exceeded by the next one when it cannot reach the store after ${calls} calls`, async () => {
      const { store, network, waitForCalls, spendTheRest } = await createSender(100)
      await waitForCalls(calls)
      store.fails = 'before'
      await spendTheRest()
      network.assertWithinWindows(() => 0.5)
    })
  }

  it('is spent again once the store works', async () => {
    const { clock, store, sender, waitForCalls } = await createSender(5)
    await waitForCalls(1)
    store.fails = 'before'
    await clock.advanceAsync(LEASE_MS / 4)
    const { calls } = sender.transport
    assert(calls.length < 8, `${calls.length} calls`)
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    assert(calls.length > 40, `${calls.length} calls`)
  })
})
