import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { closient } from '../../lib/networks/closient.js'
import { createTracker } from '../../lib/tracker.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'

const MAX_PENDING = 4_000
/** What SECURITY.md says. */
const MAX_BYTES_PER_IMPRESSION = 3_500

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function measureHeap(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** A query of the maximum length in characters that take two bytes each. */
function createLongestQuery(n: number): string {
  return `${n}${'д'.repeat(1_024)}`.slice(0, 1_024)
}

describe('Search queries that wait, each made up and as long as possible', () => {
  it('take 3.5 kB per impression at most, and maxPending bounds them', async () => {
    const socket = new Socket()
    await using tracker = createTracker({
      // Nobody listens there, so that every impression stays pending.
      networks: [closient({ apiKey: 'csb_k', baseUrl: 'http://127.0.0.1:9', flush: 'immediate' })],
      traffic: { bots: 'count' },
      delivery: { maxPending: MAX_PENDING },
      logger: createMemoryLogger([]),
    })
    const viewPages = async (from: number, to: number) => {
      for (let n = from; n < to; n += 1) {
        const req = Object.assign(new IncomingMessage(socket), { method: 'GET', url: '/' })
        const res = new ServerResponse(req)
        const searchQuery = createLongestQuery(n)
        tracker.pageLoad(req, res)({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery })
        res.emit('close')
      }
      // Lets the tracker release what finished responses no longer need.
      await nextTurn()
    }

    await viewPages(0, 500)
    const before = measureHeap()
    await viewPages(500, 3 * MAX_PENDING)
    const bytes = (measureHeap() - before) / (MAX_PENDING - 500)

    const { pending = 0, dropped = 0 } = tracker.stats().closient ?? {}
    assert.equal(pending, MAX_PENDING)
    assert.equal(dropped, 2 * MAX_PENDING)
    assert.ok(bytes < MAX_BYTES_PER_IMPRESSION, `${bytes} bytes`)
    await tracker.close({ timeoutMs: 0 })
  })
})
