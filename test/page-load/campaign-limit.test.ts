import assert from 'node:assert/strict'
import { REASONS } from '../../lib/reason.js'
import { adsByPath, VisibleSite } from '../visibility/visible-site.js'
import { ensAd } from './campaigns.js'

const requestId = (req: unknown) => String(Object(req).headers['x-id'])

describe('a page load', () => {
  it('counts 1,000 campaigns and drops further ones, however many requests name it', async () => {
    await using site = await VisibleSite.start({
      options: { requestId, delivery: { timeoutMs: 60_000 } },
      page({ trackImpression, req, answer }) {
        const first = Number(req.url?.slice(1))
        for (let i = 0; i < 300; i += 1) trackImpression(ensAd(first + i))
        answer('')
      },
    })

    for (const first of [1, 301, 601, 901, 1]) await site.request(`/${first}`, { 'x-id': 'a' })
    await site.request('/2001', { 'x-id': 'b' })

    await site.waitForOutcomes(1_800)
    const { dropped, duplicate, delivered } = site.tracker.stats().ens ?? {}
    assert.deepEqual(
      { dropped, duplicate, delivered },
      { dropped: 200, duplicate: 300, delivered: 1_300 },
    )
    assert.ok(site.outcomes.some(({ reason }) => reason.startsWith(REASONS.campaignOverflow)))
    assert.match(site.logLines.join(), /more than 1000 campaigns/)
  })

  it('gets 1,000 tokens', async () => {
    await using site = await VisibleSite.start({ page: adsByPath, options: { requestId } })
    const path = (first: number) => `/${Array.from({ length: 400 }, (_, n) => first + n).join('/')}`
    let tokens = 0
    for (const first of [1_000, 1_400, 1_800]) {
      tokens += (await site.fetchTokens(path(first), { 'x-id': 'a' })).length
    }
    assert.equal(tokens, 1_000)
    assert.equal(site.tracker.stats().ens?.dropped, 200)
  })
})
