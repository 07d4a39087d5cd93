import assert from 'node:assert/strict'
import { Queue } from '../../lib/delivery/queue.js'
import { range } from './delivery-fixture.js'

function createQueue(items: readonly number[]): Queue<number> {
  const queue = new Queue<number>()
  for (const item of items) queue.push(item)
  return queue
}

describe('Queue', () => {
  it('returns items in the order in which they were pushed', () => {
    const queue = createQueue([1, 2, 3])
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], [1, 2, 3])
  })

  it('has no first, last or next item when it is empty', () => {
    const queue = createQueue([1])
    queue.shift()
    assert.equal(queue.length, 0)
    assert.equal(queue.first, undefined)
    assert.equal(queue.last, undefined)
    assert.equal(queue.at(0), undefined)
    assert.equal(queue.shift(), undefined)
    assert.deepEqual(queue.take(5), [])
  })

  it('takes at most `max` items, and fewer when it has fewer', () => {
    const queue = createQueue([1, 2, 3])
    assert.deepEqual(queue.take(2), [1, 2])
    assert.deepEqual(queue.take(2), [3])
  })

  it('counts indexes from the first item that is left', () => {
    const queue = createQueue(range(1, 10))
    queue.take(3)
    assert.equal(queue.first, 4)
    assert.equal(queue.at(0), 4)
    assert.equal(queue.at(6), 10)
    assert.equal(queue.at(7), undefined)
    assert.equal(queue.last, 10)
    assert.deepEqual(queue.toArray(), range(4, 10))
  })

  it('keeps the order when pushes and takes alternate', () => {
    const queue = new Queue<number>()
    const taken: number[] = []
    for (let n = 1; n <= 1_000; n += 1) {
      queue.push(n)
      if (n % 3 === 0) taken.push(...queue.take(2))
    }
    assert.equal(queue.length, 1_000 - taken.length)
    assert.deepEqual([...taken, ...queue.toArray()], range(1, 1_000))
  })
})
