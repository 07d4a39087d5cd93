import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { isNavigation } from '../../lib/request/navigation.js'
import { hostileHeaders } from './hostile-headers.js'

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

function isNavigationWith(headers: IncomingHttpHeaders): boolean {
  const req = new IncomingMessage(new Socket())
  req.headers = headers
  return isNavigation(req)
}

describe('a navigation', () => {
  const navigations: [name: string, headers: IncomingHttpHeaders][] = [
    ['a click or a reload', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['a request from a browser that sends only Sec-Fetch-Mode', { 'sec-fetch-mode': 'navigate' }],
    ['a request for HTML from a browser without Fetch Metadata', { accept: HTML }],
    ['a request without any of these headers', {}],
    [
      'a boosted link of htmx',
      { 'hx-request': 'true', 'hx-boosted': 'true', 'sec-fetch-mode': 'cors' },
    ],
    [
      'restored history of htmx',
      { 'hx-request': 'true', 'hx-history-restore-request': 'true', 'sec-fetch-mode': 'cors' },
    ],
  ]
  for (const [name, headers] of navigations) {
    it(`is ${name}`, () => assert.equal(isNavigationWith(headers), true))
  }

  const fragments: [name: string, headers: IncomingHttpHeaders][] = [
    ['a fetch by a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }],
    ['HTML fetched by a script', { 'sec-fetch-mode': 'same-origin', accept: HTML }],
    ['an iframe', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: HTML }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame' }],
    ['an object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a request by htmx', { 'hx-request': 'true', accept: 'text/html' }],
    [
      'an XHR by jQuery',
      { 'x-requested-with': 'XMLHttpRequest', accept: 'text/html, */*; q=0.01' },
    ],
    ['an XHR or fetch without Fetch Metadata', { accept: '*/*' }],
    ['a request for JSON', { accept: 'application/json' }],
  ]
  for (const [name, headers] of fragments) {
    it(`is not ${name}`, () => assert.equal(isNavigationWith(headers), false))
  }

  it('is recognized or not, without throwing, whatever is sent', () => {
    const names = [
      'sec-fetch-mode',
      'sec-fetch-dest',
      'hx-request',
      'hx-boosted',
      'hx-history-restore-request',
      'x-requested-with',
      'accept',
    ]
    const values = ['navigate', 'document', 'true', 'text/html', '*/*']
    fc.assert(
      fc.property(hostileHeaders(names, values), (headers) => {
        assert.equal(typeof isNavigationWith(headers), 'boolean')
      }),
    )
  })
})
