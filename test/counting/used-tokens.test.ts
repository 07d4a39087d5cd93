import assert from 'node:assert/strict'
import { UsedTokens } from '../../lib/counting/used-tokens.js'
import type { Log } from '../../lib/logger.js'

const TTL_MS = 8_000

function createUsedTokens(max = 100) {
  const messages: string[] = []
  const add = (_kind: string, message: string) => void messages.push(message)
  const log: Log = { debug: add, warn: add, error: add }
  const clock = { nowMs: 0 }
  const tokens = new UsedTokens({ max, ttlMs: TTL_MS, now: () => clock.nowMs, log })
  return { tokens, clock, messages }
}

describe('UsedTokens', () => {
  it('keeps page loads and campaigns apart', () => {
    const { tokens } = createUsedTokens()
    tokens.add('page-1', 'ens:1')
    assert.equal(tokens.has('page-1', 'ens:1'), true)
    assert.equal(tokens.has('page-1', 'ens:2'), false)
    assert.equal(tokens.has('page-2', 'ens:1'), false)
  })

  it('keeps an entry for at least ttlMs, and not for much longer', () => {
    const { tokens, clock } = createUsedTokens()
    tokens.add('page-1', 'ens:1')
    clock.nowMs = TTL_MS
    assert.equal(tokens.has('page-1', 'ens:1'), true)
    clock.nowMs = 1.5 * TTL_MS
    assert.equal(tokens.has('page-1', 'ens:1'), false)
  })

  it('keeps an entry for a full ttlMs after it was added again', () => {
    const { tokens, clock } = createUsedTokens()
    tokens.add('page-1', 'ens:1')
    clock.nowMs = TTL_MS / 2
    tokens.add('page-1', 'ens:1')
    clock.nowMs = 1.5 * TTL_MS
    assert.equal(tokens.has('page-1', 'ens:1'), true)
  })

  it('no longer has a deleted entry', () => {
    const { tokens } = createUsedTokens()
    tokens.add('page-1', 'ens:1')
    tokens.delete('page-1', 'ens:1')
    assert.equal(tokens.has('page-1', 'ens:1'), false)
  })

  it('has no room for more than max entries until one expires, and logs an error', () => {
    const { tokens, clock, messages } = createUsedTokens(2)
    tokens.add('page-1', 'ens:1')
    assert.equal(tokens.hasRoom(), true)
    tokens.add('page-1', 'ens:2')
    assert.equal(tokens.hasRoom(), false)
    assert.match(messages.join(), /visible impressions are dropped: 2 have counted/)
    clock.nowMs = 1.5 * TTL_MS
    assert.equal(tokens.hasRoom(), true)
  })
})
