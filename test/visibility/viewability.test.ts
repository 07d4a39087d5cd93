import assert from 'node:assert/strict'
import { createTracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { findTokens, VisibleSite } from './visible-site.js'

describe('viewability in stats()', () => {
  it('counts the tokens that were issued, and those that were reported as viewable', async () => {
    await using site = await VisibleSite.start({
      page: ({ trackImpression, answer }) =>
        answer(
          [ensAd(1), ensAd(2), ensAd(2), closientAd()]
            .map((ad) => `<p ${trackImpression.whenVisible(ad)}>`)
            .join(''),
        ),
    })
    const tokens = findTokens((await site.request()).text)
    const stats = () => site.tracker.stats()
    assert.deepEqual(stats().ens?.viewability, { issued: 2, viewable: 0 })

    await site.sendReport(tokens.slice(0, 1))
    await site.sendReport(tokens.slice(0, 1))
    await site.sendReport(['forged', ...tokens.slice(3)])

    assert.deepEqual(stats().ens?.viewability, { issued: 2, viewable: 1 })
    assert.deepEqual(stats().closient?.viewability, { issued: 1, viewable: 1 })
    assert.equal(stats().unknown?.viewability, undefined)
    assert.equal(JSON.parse(JSON.stringify(stats())).ens.viewability.viewable, 1)
  })

  it('leaves the sum of the other figures as it is', async () => {
    await using site = await VisibleSite.start({
      page: ({ trackImpression, answer }) => answer(`<p ${trackImpression.whenVisible(ensAd())}>`),
    })
    await site.sendReport(findTokens((await site.request()).text))
    const { tracked, ...others }: object & { tracked?: number } = site.tracker.stats().ens ?? {}
    const sum = Object.values(others).reduce((total: number, figure) => total + Number(figure), 0)
    assert.equal(sum, tracked)
    assert.equal(tracked, 1)
  })

  it('is absent without the option visibility', async () => {
    const tracker = createTracker({ enabled: false })
    assert.equal('viewability' in (tracker.stats().ens ?? {}), false)
  })
})
