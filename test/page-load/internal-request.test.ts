import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { closientAd, ensAd } from './campaigns.js'
import { BROWSER_HEADERS } from './fetch-page.js'
import { Publisher } from './publisher.js'

/** As Nitro creates them for an API route that it calls while it renders a page (node-mock-http). */
function createInternalRequest(): [IncomingMessage, ServerResponse] {
  const req = new IncomingMessage(new Socket())
  Object.assign(req, { method: 'GET', url: '/api/ads', headers: BROWSER_HEADERS })
  Object.defineProperty(req, 'socket', { value: { destroyed: false } })
  return [req, new ServerResponse(req)]
}

describe('A request that a server makes to itself, with a socket without events', () => {
  it('counts once its response has finished', async () => {
    await using site = await Publisher.start(({ res }) => void res.end())
    const [req, res] = createInternalRequest()
    const trackImpression = site.tracker.pageLoad(req, res)
    assert.equal(trackImpression(ensAd()), '')
    assert.equal(trackImpression(closientAd()), '')
    res.emit('finish')
    await site.waitForOutcomes(2)
    const outcomes = await site.closeAndSummarize()
    assert.deepEqual(outcomes.toSorted(), ['closient delivered', 'ens delivered'])
  })
})
