import assert from 'node:assert/strict'
import { VisibleSite } from './visible-site.js'

/** A site whose page is the tag with this nonce. */
function siteWith(nonce: unknown): Promise<VisibleSite> {
  return VisibleSite.start({
    page({ trackImpression: { script }, answer }) {
      answer(Reflect.apply(script, undefined, [{ nonce }]))
    },
  })
}

describe('script()', () => {
  for (const nonce of ['n0nce', 'q83v+/w=', 'q83v-_w', 'EDNnf03nceIOfn39fn3e9h3sdfa==']) {
    it(`has the nonce of the page’s policy: ${nonce}`, async () => {
      await using site = await siteWith(nonce)

      assert.match(
        (await site.ask()).text,
        /^<script src="\/_visible\/client\.js\?v=[\w-]{16}" nonce="([^"]+)" async><\/script>$/,
      )
      assert.ok((await site.ask()).text.includes(`nonce="${nonce}"`))
      assert.deepEqual(site.lines, [])
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
    it(`leaves out a nonce that is none, and says so: ${JSON.stringify(nonce)}`, async () => {
      await using site = await siteWith(nonce)

      const { text } = await site.ask()

      assert.match(text, /^<script src="\/_visible\/client\.js\?v=[\w-]{16}" async><\/script>$/)
      assert.deepEqual(site.lines, [
        'ad-impressions: script(): nonce: expected base64; it is left out',
      ])
    })
  }

  it('has no nonce where none is given', async () => {
    await using site = await siteWith(undefined)

    assert.match((await site.ask()).text, / async><\/script>$/)
    assert.deepEqual(site.lines, [])
  })

  it('counts nothing and makes no page private', async () => {
    await using site = await siteWith(undefined)

    assert.equal((await site.ask()).headers['cache-control'], undefined)
    assert.deepEqual(site.summaries, [])
  })
})
