import assert from 'node:assert/strict'
import { SERVERS, twoAds, VisibleSite } from '../../visibility/visible-site.js'
import { describeLatest, INSPECTOR, readInspector, startInspectedSite } from './inspected-site.js'

for (const server of SERVERS) {
  describe(`the inspector in ${server.name}`, () => {
    it('shows a page load, and never counts a request of its own', async () => {
      await using site = await startInspectedSite({
        server,
        page(visit) {
          visit.trackImpression({ campaignId: 42, placement: 'header_banner' })
          return twoAds(visit)
        },
      })
      await site.request('/news?q=private')
      await site.waitForOutcomes(1)
      await site.request(INSPECTOR)

      const data = await readInspector(site)

      assert.deepEqual(
        data.pageLoads.map(({ page }) => page),
        ['GET /news'],
      )
      assert.deepEqual(describeLatest(data), [
        'ens delivered: passed at verdict',
        'ens issued: waiting at admit',
        'closient issued: waiting at admit',
      ])
      assert.deepEqual(site.summaries, ['ens delivered'])
    })

    it('counts the requests that reach the middleware, so that an empty page is explained', async () => {
      await using site = await startInspectedSite({
        server,
        page: ({ answer }) => answer('a page'),
      })
      await site.request(INSPECTOR)
      assert.equal((await readInspector(site)).requests, 0)
      await site.request()
      await site.request()
      const { requests, pageLoads } = await readInspector(site)
      assert.deepEqual([requests, pageLoads], [2, []])
    })

    it('may not be cached, framed or sniffed, and runs only its own script', async () => {
      await using site = await startInspectedSite({ server })
      for (const [path, type] of [
        [INSPECTOR, 'text/html; charset=utf-8'],
        [`${INSPECTOR}?data`, 'application/json; charset=utf-8'],
      ] as const) {
        const { status, headers } = await site.request(path)
        assert.equal(status, 200)
        assert.equal(headers['content-type'], type)
        assert.equal(headers['cache-control'], 'no-store')
        assert.equal(headers['x-content-type-options'], 'nosniff')
        assert.equal(headers['referrer-policy'], 'no-referrer')
        const policy = String(headers['content-security-policy'])
        assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/)
        assert.match(policy, /frame-ancestors 'none'/)
        assert.doesNotMatch(policy, /unsafe|\*|https?:/)
      }
    })

    it('is not there by default', async () => {
      await using site = await VisibleSite.start({ server })
      for (const path of [INSPECTOR, `${INSPECTOR}?data`]) {
        const { headers, text } = await site.request(path)
        const { text: other } = await site.request('/another')
        assert.equal(headers['content-security-policy'], undefined)
        assert.equal(withoutTokens(text), withoutTokens(other))
      }
    })
  })
}

// Koa 2 itself never ends the answer to a HEAD request on HTTP/2.
for (const server of SERVERS.filter(({ protocol }) => protocol === 'http1')) {
  it(`the inspector in ${server.name} answers HEAD without a body`, async () => {
    await using site = await startInspectedSite({ server })
    const { status, text } = await site.request(INSPECTOR, {}, 'HEAD')
    assert.deepEqual([status, text], [200, ''])
  })
}

describe('the inspector', () => {
  it('is below visibility.path', async () => {
    const visibility = { secret: '3vQ8kzT1rXw0bYp5Ln7dHs2JcMf9GaUe', path: '/own/path' }
    await using site = await startInspectedSite({ options: { visibility } })
    assert.equal((await readInspector(site, '/own/path/inspector')).requests, 0)
    assert.doesNotMatch((await site.request(INSPECTOR)).text, /inspector/)
  })

  it('needs no option visibility', async () => {
    await using site = await startInspectedSite({
      options: { visibility: undefined },
      page({ trackImpression, answer }) {
        trackImpression({ campaignId: 42, placement: 'header_banner' })
        answer('a page')
      },
    })
    await site.request()
    await site.waitForOutcomes(1)
    assert.deepEqual(describeLatest(await readInspector(site)), [
      'ens delivered: passed at verdict',
    ])
  })

  it('says that nothing is counted with enabled: false', async () => {
    await using site = await startInspectedSite({ options: { enabled: false } })
    await site.request()
    const { networks } = await readInspector(site)
    assert.deepEqual(
      networks.map(({ reason }) => reason?.split(':')[0]),
      ['disabled', 'disabled', undefined],
    )
  })

  it('lets other paths, methods and the client script go on', async () => {
    await using site = await startInspectedSite()
    for (const [path, method] of [
      [`${INSPECTOR}s`, 'GET'],
      [`${INSPECTOR}/`, 'GET'],
      [`${INSPECTOR}.html`, 'GET'],
      [`${INSPECTOR}.json`, 'GET'],
      [INSPECTOR, 'POST'],
      [INSPECTOR, 'DELETE'],
    ] as const) {
      const { headers } = await site.request(path, {}, method)
      assert.equal(headers['content-security-policy'], undefined, `${method} ${path}`)
    }
    assert.match((await site.request('/_visible/client.js')).text, /IntersectionObserver/)
  })
})

const withoutTokens = (html: string) => html.replace(/data-ad-impression=[\w.-]+/g, '')
