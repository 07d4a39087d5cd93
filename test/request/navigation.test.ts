import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { isNavigation } from '../../lib/request/navigation.js'
import { hostileHeaders } from './hostile-headers.js'

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

function navigates(headers: IncomingHttpHeaders): boolean {
  const req = new IncomingMessage(new Socket())
  req.headers = headers
  return isNavigation(req)
}

describe('a navigation', () => {
  const navigations: [what: string, headers: IncomingHttpHeaders][] = [
    ['a click or a reload', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['one of a browser that sends the mode alone', { 'sec-fetch-mode': 'navigate' }],
    ['one of a browser without Fetch Metadata', { accept: HTML }],
    ['one that says nothing of itself', {}],
    [
      "htmx's, of a boosted link",
      { 'hx-request': 'true', 'hx-boosted': 'true', 'sec-fetch-mode': 'cors' },
    ],
    [
      "htmx's, of restored history",
      { 'hx-request': 'true', 'hx-history-restore-request': 'true', 'sec-fetch-mode': 'cors' },
    ],
  ]
  for (const [what, headers] of navigations) {
    it(`is ${what}`, () => assert.equal(navigates(headers), true))
  }

  const fragments: [what: string, headers: IncomingHttpHeaders][] = [
    [
      'what a script fetches',
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' },
    ],
    ['what a script fetches as HTML', { 'sec-fetch-mode': 'same-origin', accept: HTML }],
    ['an iframe', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: HTML }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame' }],
    ['an object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ["htmx's request", { 'hx-request': 'true', accept: 'text/html' }],
    ["jQuery's XHR", { 'x-requested-with': 'XMLHttpRequest', accept: 'text/html, */*; q=0.01' }],
    ['a bare XHR or fetch without Fetch Metadata', { accept: '*/*' }],
    ['JSON', { accept: 'application/json' }],
  ]
  for (const [what, headers] of fragments) {
    it(`is not ${what}`, () => assert.equal(navigates(headers), false))
  }

  it('is told yes or no, and nothing throws, whatever is sent', () => {
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
        assert.equal(typeof navigates(headers), 'boolean')
      }),
    )
  })
})
