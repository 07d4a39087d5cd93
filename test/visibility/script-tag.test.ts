import assert from 'node:assert/strict'
import { withoutAddress } from '../docs-address.js'
import { VisibleSite } from './visible-site.js'

/** Starts a site whose page is the script tag with this nonce. */
function startSite(nonce: unknown): Promise<VisibleSite> {
  return VisibleSite.start({
    page({ trackImpression: { script }, answer }) {
      answer(Reflect.apply(script, undefined, [{ nonce }]))
    },
  })
}

describe('script()', () => {
  for (const nonce of ['n0nce', 'q83v+/w=', 'q83v-_w', 'EDNnf03nceIOfn39fn3e9h3sdfa==']) {
    it(`has the nonce ${nonce}`, async () => {
      await using site = await startSite(nonce)

      assert.match(
        (await site.request()).text,
        /^<script src="\/_visible\/client\.js\?v=[\w-]{16}" nonce="([^"]+)" async><\/script>$/,
      )
      assert.ok((await site.request()).text.includes(`nonce="${nonce}"`))
      assert.deepEqual(site.logLines, [])
    })
  }

  for (const nonce of [
    '"><script>alert(1)</script>',
    'a b',
    "a'b",
    'a"b',
    'a&quot;b',
    'a\nb',
    'a\n',
    '',
    '=',
    'é',
    null,
    7,
    {},
    ['n0nce'],
    { toString: () => '"onload="' },
  ]) {
    it(`omits an invalid nonce and logs a warning: ${JSON.stringify(nonce)}`, async () => {
      await using site = await startSite(nonce)

      const { text } = await site.request()

      assert.match(text, /^<script src="\/_visible\/client\.js\?v=[\w-]{16}" async><\/script>$/)
      assert.deepEqual(site.logLines.map(withoutAddress), [
        'ad-impressions: script(): nonce: expected base64; the attribute is omitted',
      ])
    })
  }

  it('has no nonce if none is passed', async () => {
    await using site = await startSite(undefined)

    assert.match((await site.request()).text, / async><\/script>$/)
    assert.deepEqual(site.logLines, [])
  })

  it('counts nothing and does not make the page private', async () => {
    await using site = await startSite(undefined)

    assert.equal((await site.request()).headers['cache-control'], undefined)
    assert.deepEqual(site.summaries, [])
  })
})
