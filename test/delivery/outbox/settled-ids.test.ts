import assert from 'node:assert/strict'
import { SettledIds } from '../../../lib/delivery/outbox/settled-ids.js'

describe('settled ids', () => {
  it('are the last 100,000 and some earlier ones', () => {
    const ids = new SettledIds()
    const [first, last] = ['id-1', 'id-100001']
    for (let n = 1; n <= 100_001; n += 1) ids.add(`id-${n}`)
    assert.deepEqual([ids.has(first), ids.has(last)], [true, true])
    for (let n = 100_002; n <= 200_000; n += 1) ids.add(`id-${n}`)
    assert.deepEqual([ids.has(first), ids.has(last)], [false, true])
  })
})
