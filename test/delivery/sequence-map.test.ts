import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SequenceMap } from '../../lib/delivery/sequence-map.js'

describe('SequenceMap', () => {
  it('has the same items as a Map, whichever are deleted', () => {
    // `true` adds the next item, a number deletes one of those so far.
    const steps = fc.array(fc.oneof(fc.constant(true as const), fc.nat(200)), { maxLength: 400 })
    fc.assert(
      fc.property(steps, (all) => {
        const [map, expected] = [new SequenceMap<object>(), new Map<number, object>()]
        let sequence = 0
        for (const step of all) {
          if (step === true) {
            sequence += 1
            const item = { sequence }
            map.add(sequence, item)
            expected.set(sequence, item)
          } else {
            map.delete(step)
            expected.delete(step)
          }
          assert.equal(map.size, expected.size)
        }
        assert.deepEqual(map.toArray(), [...expected.values()])
        for (let n = 0; n <= sequence + 1; n += 1) assert.equal(map.get(n), expected.get(n))
      }),
    )
  })
})
