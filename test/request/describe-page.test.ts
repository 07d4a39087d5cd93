import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describePage } from '../../lib/request/describe-page.js'

const describeRequest = (method: string, url: string, source: unknown = undefined) =>
  describePage({ method, url } as IncomingMessage, source)

describe('describePage()', () => {
  it('is the method and the path', () => {
    assert.equal(describeRequest('GET', '/news/1'), 'GET /news/1')
    assert.equal(describeRequest('POST', '/'), 'POST /')
  })

  it('omits the query and the fragment', () => {
    assert.equal(describeRequest('GET', '/news?token=secret'), 'GET /news')
    assert.equal(describeRequest('GET', '/news#token=secret?x'), 'GET /news')
  })

  it('is the path before a router has cut off its mount path', () => {
    assert.equal(describeRequest('GET', '/1', { originalUrl: '/news/1?q=1' }), 'GET /news/1')
  })

  it('is short and printable, whatever a client requests', () => {
    const page = describeRequest('GET', `/a\r\nb\u202e\u200b${'x'.repeat(100_000)}`)
    assert.ok(page.length <= 201)
    assert.match(page, /^GET \/a bx+…$/)
  })
})
