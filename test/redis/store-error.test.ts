// Tests lib/redis/store-error.ts

import assert from 'node:assert/strict'
import { toStoreError } from '../../lib/redis/store-error.js'

describe('Errors of the Redis store', () => {
  it('say what Redis said', () => {
    const { message } = toStoreError(
      new Error('READONLY You cannot write against a read only replica.'),
    )
    assert.equal(message, 'Redis: READONLY You cannot write against a read only replica.')
  })

  it('hold no credentials of a URL', () => {
    const url = 'rediss://user:p@ss/word@redis.example:6379'
    const { message } = toStoreError(new Error(`cannot connect to ${url}`))
    assert.equal(message.includes('word'), false)
    assert.match(message, /redis\.example/)
  })

  it('hold nothing else of the client’s error, which may contain the command', () => {
    const error = Object.assign(new Error('ERR failed'), { command: { args: ['payload'] } })
    const stored = toStoreError(error)
    assert.deepEqual(Object.keys(stored), [])
    assert.equal(stored.cause, undefined)
  })

  it('name the first cause of an error without a message', () => {
    const error = new AggregateError([new Error('connect ECONNREFUSED ::1:6379')])
    assert.equal(toStoreError(error).message, 'Redis: connect ECONNREFUSED ::1:6379')
  })

  it('are one short line, whatever was thrown', () => {
    assert.equal(toStoreError(new Error(`a\nb`)).message, 'Redis: a')
    assert(toStoreError(new Error('x'.repeat(10_000))).message.length < 400)
    assert.equal(toStoreError(undefined).message, 'Redis: failed')
  })
})
