import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { SERVERS, VisibleSite } from './visible-site.js'

const SCRIPT = await readFile(
  new URL('../../dist/visibility/client/client.js', import.meta.url),
  'utf8',
)

/** The address that the page's script tag names. */
async function addressOn(site: VisibleSite, path = '/'): Promise<string> {
  const { text } = await site.ask(path)
  const [, address] = /<script src="([^"]+)" async><\/script>/.exec(text) ?? []
  return address ?? assert.fail(text)
}

for (const server of SERVERS) {
  describe(`the browser’s half, served by ${server.name}`, () => {
    let site: VisibleSite
    before(async () => {
      site = await VisibleSite.start({ server })
    })
    after(() => site[Symbol.asyncDispose]())

    it('is at the address that the page names, as a script to keep for good', async () => {
      const { status, headers, text } = await site.ask(await addressOn(site))

      assert.equal(status, 200)
      assert.equal(text, SCRIPT)
      assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
      assert.equal(headers['content-length'], String(Buffer.byteLength(SCRIPT)))
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    })

    it('is kept for good under no other address', async () => {
      const address = await addressOn(site)
      for (const other of ['', '?', '?v=', '?v=0000000000000000', '?w=1']) {
        const { status, headers, text } = await site.ask(`/_visible/client.js${other}`)
        assert.deepEqual([status, text], [200, SCRIPT])
        assert.equal(headers['cache-control'], 'no-cache', other)
      }
      const { headers } = await site.ask(`${address}&more`)
      assert.equal(headers['cache-control'], 'no-cache')
    })

    it('is not sent again to a browser that has it', async () => {
      const address = await addressOn(site)
      const { headers } = await site.ask(address)
      const etag = String(headers.etag)
      assert.match(etag, /^"[\w-]{16}"$/)
      for (const known of [etag, `W/${etag}`, `"another", W/${etag}`, '*']) {
        const answer = await site.ask(address, { 'if-none-match': known })
        assert.deepEqual([answer.status, answer.text], [304, ''], known)
        assert.equal(answer.headers.etag, etag)
        assert.equal(answer.headers['cache-control'], headers['cache-control'])
      }
    })

    it('is sent to a browser that has another version', async () => {
      for (const known of ['"another"', 'W/"another", "and-another"', '', 'nonsense']) {
        const { status, text } = await site.ask('/_visible/client.js', { 'if-none-match': known })
        assert.deepEqual([status, text], [200, SCRIPT], known)
      }
    })

    // To HEAD requests over HTTP/2 Koa 2 never answers, whatever they are for.
    if (server.name !== 'Koa 2 on HTTP/2') {
      it('is described to a HEAD request', async () => {
        const address = await addressOn(site)
        const [got, headed] = [await site.ask(address), await site.ask(address, {}, 'HEAD')]
        assert.deepEqual([headed.status, headed.text], [200, ''])
        assert.deepEqual({ ...headed.headers, date: '' }, { ...got.headers, date: '' })
      })
    }

    it('takes no other method', async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const { status, headers } = await site.ask('/_visible/client.js', {}, method)
        assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method)
      }
    })

    it('leaves every other path to the app', async () => {
      for (const path of [
        '/client.js',
        '/_visible/',
        '/_visible/client.jsx',
        '/_visible/client.js/',
        '/_visible/other',
        '/_visibleness',
        '/x/_visible/client.js',
        '/?/_visible/client.js',
      ]) {
        assert.match((await site.ask(path)).text, /data-ad-impression=/, path)
      }
    })

    it('is found where the page’s address has a query string', async () => {
      assert.equal(await addressOn(site, '/page?a=/_visible/client.js'), await addressOn(site))
    })
  })

  describe(`the browser’s half under a path of the site’s choice, served by ${server.name}`, () => {
    it('is there, and nowhere else', async () => {
      const visibility = { secret: 's'.repeat(32), path: '/ads/~seen.1' }
      await using site = await VisibleSite.start({ server, options: { visibility } })

      const address = await addressOn(site)

      assert.match(address, /^\/ads\/~seen\.1\/client\.js\?v=/)
      assert.equal((await site.ask(address)).text, SCRIPT)
      assert.notEqual((await site.ask('/_visible/client.js')).text, SCRIPT)
    })
  })
}
