import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { closientAd, ensAd } from './campaigns.js'
import { BROWSER_HEADERS } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'

const COUNTED = ['closient delivered', 'ens delivered']
const suppressedAs = (reason: string) => [
  `closient suppressed: ${reason}`,
  `ens suppressed: ${reason}`,
]

/** Answers with an ad of each network, as this type. */
function pageOfType(type: string): Page {
  return ({ res, trackImpression }) => {
    trackImpression(closientAd())
    trackImpression(ensAd())
    if (type) res.setHeader('Content-Type', type)
    res.end('content')
  }
}

/** Sends one request, also with headers and methods that `fetch` does not send. */
async function send(url: string, method: string, headers: OutgoingHttpHeaders): Promise<void> {
  const req = request(url, { method, headers: { ...BROWSER_HEADERS, ...headers } }).end()
  const [res] = await once(req, 'response')
  res.resume()
  await once(res, 'end')
}

async function fetchOutcomes(page: Page, headers: OutgoingHttpHeaders, method = 'GET') {
  await using site = await Publisher.start(page)
  await send(site.url, method, headers)
  await site.waitForOutcomes(2)
  return (await site.closeAndSummarize()).toSorted()
}

const subresource = (dest: string, site = 'cross-site') => ({
  'sec-fetch-dest': dest,
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-site': site,
})

describe('HTML that a browser requests as something else', () => {
  const destinations = ['audio', 'font', 'image', 'manifest', 'script', 'style', 'track', 'video']
  for (const dest of [...destinations, 'worker', 'xslt']) {
    it(`is not a display if it is requested as ${dest}`, async () => {
      const page = pageOfType('text/html; charset=utf-8')
      assert.deepEqual(await fetchOutcomes(page, subresource(dest)), suppressedAs('not-a-page'))
    })
  }

  it('is not a display if another site fetches it without CORS', async () => {
    const page = pageOfType('application/xhtml+xml')
    for (const site of ['cross-site', 'same-site']) {
      const outcomes = await fetchOutcomes(page, subresource('empty', site))
      assert.deepEqual(outcomes, suppressedAs('not-a-page'))
    }
  })

  for (const headers of [
    { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' },
    { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-dest': 'object', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-dest': 'a destination of the future' },
    {},
  ]) {
    it(`is a display with ${JSON.stringify(headers)}`, async () => {
      assert.deepEqual(await fetchOutcomes(pageOfType('text/html'), headers), COUNTED)
    })
  }

  it('is recognized when its type is passed to writeHead alone', async () => {
    const page: Page = ({ res, trackImpression }) => {
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.writeHead(200, { 'Content-Type': 'text/html' })
      res.end()
    }
    assert.deepEqual(await fetchOutcomes(page, subresource('image')), suppressedAs('not-a-page'))
  })
})

describe('an image that a browser requests as an image', () => {
  for (const type of ['image/gif', 'image/svg+xml', '']) {
    it(`is a display with the type ${JSON.stringify(type)}`, async () => {
      const outcomes = await fetchOutcomes(pageOfType(type), subresource('image'))
      assert.deepEqual(outcomes, COUNTED)
    })
  }
})

describe('a request', () => {
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT']) {
    it(`by ${method} displays nothing`, async () => {
      const outcomes = await fetchOutcomes(pageOfType('text/html'), {}, method)
      assert.deepEqual(outcomes, suppressedAs('method'))
    })
  }

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    it(`by ${method} displays its response`, async () => {
      assert.deepEqual(await fetchOutcomes(pageOfType('text/html'), {}, method), COUNTED)
    })
  }

  for (const range of ['bytes=0-1', 'bytes=500-', 'bytes=-500', 'bytes=0-0,-1']) {
    it(`for the range ${range} displays nothing`, async () => {
      const outcomes = await fetchOutcomes(pageOfType('audio/mpeg'), { range })
      assert.deepEqual(outcomes, suppressedAs('not-a-page'))
    })
  }

  it('for the whole range displays its response', async () => {
    assert.deepEqual(await fetchOutcomes(pageOfType('audio/mpeg'), { range: 'bytes=0-' }), COUNTED)
  })
})

describe('a response whose close is emitted before its finish', () => {
  it('was written completely', async () => {
    const outcomes = await fetchOutcomes(({ res, trackImpression }) => {
      res.once('finish', () => res.emit('close'))
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.end('<p>ads</p>')
    }, {})
    assert.deepEqual(outcomes, COUNTED)
  })
})
