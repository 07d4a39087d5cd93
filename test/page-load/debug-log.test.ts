import assert from 'node:assert/strict'
import { withoutAddress } from '../docs-address.js'
import { closientAd, ensAd } from './campaigns.js'
import { BOT_HEADERS, BROWSER_HEADERS, fetchPage } from './fetch-page.js'
import { ManualEns } from './manual-ens.js'
import { type Page, Publisher } from './publisher.js'

async function readDebugLines(
  page: Page,
  path: string,
  headers: Readonly<Record<string, string>> = BROWSER_HEADERS,
): Promise<readonly string[]> {
  const lines: string[] = []
  const logger = {
    debug: (_fields: object, message: string) => void lines.push(message),
    warn() {},
    error() {},
  }
  await using network = await ManualEns.start()
  await using site = await Publisher.start(page, { networks: [network.network], logger })
  await fetchPage(new URL(path, site.url).href, { headers })
  await site.waitForOutcomes(1)
  return lines
}

describe('the debug log of a page', () => {
  it('says why an impression does not count, with campaign, placement and page', async () => {
    const page: Page = ({ res, trackImpression }) => {
      trackImpression(ensAd())
      res.end()
    }
    const [line = '', ...more] = await readDebugLines(page, '/news?session=secret', BOT_HEADERS)
    assert.deepEqual(more, [])
    assert.match(line, /^ad-impressions: ens: impression suppressed: bot: .*set traffic\.bots /)
    assert.match(withoutAddress(line), / \(campaign 42, placement header_banner, GET \/news\)$/)
  })

  it('names the page of an invalid input', async () => {
    const page: Page = ({ res, trackImpression }) => {
      Reflect.apply(trackImpression, undefined, [{ ...closientAd(), network: 'ens' }])
      res.end()
    }
    const [line = ''] = await readDebugLines(page, '/shop/%0Abags?q=private')
    assert.match(line, /^ad-impressions: ens: impression invalid: invalid-input: campaignId: /)
    assert.match(withoutAddress(line), /GET \/shop\/%0Abags\)$/)
  })
})
