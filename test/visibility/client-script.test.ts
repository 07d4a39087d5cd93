import assert from 'node:assert/strict'
import SCRIPT from '#client-script'
import { SECRET, SERVERS, VisibleSite } from './visible-site.js'

/** Requests a page. @returns the URL in its script tag */
async function fetchScriptUrl(site: VisibleSite, path = '/'): Promise<string> {
  const { text } = await site.request(path)
  const [, url] = /<script src="([^"]+)" async><\/script>/.exec(text) ?? []
  return url ?? assert.fail(text)
}

for (const server of SERVERS) {
  describe(`the client script, served by ${server.name}`, () => {
    let site: VisibleSite
    before(async () => {
      site = await VisibleSite.start({ server })
    })
    after(() => site[Symbol.asyncDispose]())

    it('is immutable at the URL in the page', async () => {
      const { status, headers, text } = await site.request(await fetchScriptUrl(site))

      assert.equal(status, 200)
      assert.equal(text, SCRIPT)
      assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
      assert.equal(headers['content-length'], String(Buffer.byteLength(SCRIPT)))
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    })

    it('is revalidated at any other URL', async () => {
      const url = await fetchScriptUrl(site)
      for (const other of ['', '?', '?v=', '?v=0000000000000000', '?w=1']) {
        const { status, headers, text } = await site.request(`/_visible/client.js${other}`)
        assert.deepEqual([status, text], [200, SCRIPT])
        assert.equal(headers['cache-control'], 'no-cache', other)
      }
      const { headers } = await site.request(`${url}&more`)
      assert.equal(headers['cache-control'], 'no-cache')
    })

    it('is not sent again to a browser that has this version', async () => {
      const url = await fetchScriptUrl(site)
      const { headers } = await site.request(url)
      const etag = String(headers.etag)
      assert.match(etag, /^"[\w-]{16}"$/)
      for (const known of [etag, `W/${etag}`, `"another", W/${etag}`, '*']) {
        const response = await site.request(url, { 'if-none-match': known })
        assert.deepEqual([response.status, response.text], [304, ''], known)
        assert.equal(response.headers.etag, etag)
        assert.equal(response.headers['cache-control'], headers['cache-control'])
      }
    })

    it('is sent to a browser that has another version', async () => {
      for (const known of ['"another"', 'W/"another", "and-another"', '', 'nonsense']) {
        const { status, text } = await site.request('/_visible/client.js', {
          'if-none-match': known,
        })
        assert.deepEqual([status, text], [200, SCRIPT], known)
      }
    })

    // Koa 2 never answers HEAD requests over HTTP/2, for any route.
    if (server.name !== 'Koa 2 on HTTP/2') {
      it('answers a HEAD request with the same headers', async () => {
        const url = await fetchScriptUrl(site)
        const [get, head] = [await site.request(url), await site.request(url, {}, 'HEAD')]
        assert.deepEqual([head.status, head.text], [200, ''])
        assert.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' })
      })
    }

    it('answers any other method with 405', async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const { status, headers } = await site.request('/_visible/client.js', {}, method)
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
        assert.match((await site.request(path)).text, /data-ad-impression=/, path)
      }
    })

    it('has the same URL on a page whose own URL has a query string', async () => {
      assert.equal(
        await fetchScriptUrl(site, '/page?a=/_visible/client.js'),
        await fetchScriptUrl(site),
      )
    })
  })

  describe(`the client script at a custom path, served by ${server.name}`, () => {
    it('is served there and nowhere else', async () => {
      const visibility = { secret: SECRET, path: '/ads/~seen.1' }
      await using site = await VisibleSite.start({ server, options: { visibility } })

      const url = await fetchScriptUrl(site)

      assert.match(url, /^\/ads\/~seen\.1\/client\.js\?v=/)
      const script = SCRIPT.replace("'/_visible'", "'/ads/~seen.1'")
      assert.equal((await site.request(url)).text, script)
      assert.notEqual((await site.request('/_visible/client.js')).text, SCRIPT)
    })
  })
}
