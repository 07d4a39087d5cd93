import assert from 'node:assert/strict'
import { SettledIds } from '../../../lib/delivery/outbox/settled-ids.js'

describe('settled ids', () => {
  it('are remembered up to 10,000, and the oldest are forgotten first', () => {
    const ids = new SettledIds()
    for (let n = 1; n <= 10_001; n += 1) ids.add(`id-${n}`)
    assert.deepEqual([ids.has('id-1'), ids.has('id-2'), ids.has('id-10001')], [false, true, true])
  })
})
