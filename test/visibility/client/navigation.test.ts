import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import type { ClientTestSite, RenderPage } from './client-test-site.js'
import { testConcurrently } from './concurrent-scenarios.js'
import { template } from './test-page.js'

const HTMX = readFileSync(createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js'))

/** Serves a script. @returns its path */
function serveScript(site: ClientTestSite, source: string): string {
  return site.serve(
    ({ res }) => {
      res.setHeader('content-type', 'text/javascript')
      return source
    },
    { hasScript: false },
  )
}

/** Serves a page without the script tag, which only the first page has. */
function serveLaterPage(site: ClientTestSite, render: RenderPage): string {
  return site.serve(render, { hasScript: false })
}

/** Serves the data of a page for a client-side router: the token of its ad. */
function serveData(site: ClientTestSite, name: string): string {
  return serveLaterPage(site, ({ ad, res }) => {
    const attribute = /data-ad-impression=[\w.-]+/.exec(ad(name))?.[0]
    res.setHeader('content-type', 'application/json')
    return JSON.stringify({ name, attribute })
  })
}

/** A router like React Router's: it fetches the next page's data and renders it in the same document. */
const REACT_APP = `
  import { createElement, useEffect, useState } from 'react'
  import { createRoot } from 'react-dom/client'

  function App() {
    const [page, setPage] = useState()
    useEffect(() => {
      window.navigate = async (path) => {
        const data = await (await fetch(path)).json()
        history.pushState(null, '', '/at/' + data.name)
        setPage(data)
      }
    }, [])
    const style = { width: 300, height: 250 }
    // The page's element is the same one as the last page's, with other attributes.
    return page && createElement('div', { style, 'data-ad-impression': page.attribute }, page.name)
  }
  createRoot(document.getElementById('root')).render(createElement(App))
`

let reactApp: Promise<string> | undefined

/** Bundles the app once for all frameworks. */
function bundleReactApp(): Promise<string> {
  reactApp ??= bundle(REACT_APP)
  return reactApp
}

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  return outputFiles[0]?.text ?? assert.fail('no bundle')
}

/** Replaces the whole body, as Turbo Drive does, and shows a kept copy when the viewer goes back. */
const BODY_ROUTER = `
  const copies = new Map()
  const show = (body) => document.documentElement.replaceChild(body, document.body)
  window.navigate = async (path) => {
    copies.set(location.pathname, document.body.cloneNode(true))
    history.pushState(null, '', path)
    const html = await (await fetch(path)).text()
    show(document.adoptNode(new DOMParser().parseFromString(html, 'text/html').body))
  }
  addEventListener('popstate', () => show(copies.get(location.pathname)))
`

describe('an ad of a page that the browser never loads', () => {
  testConcurrently({
    async 'counts when React renders it after a navigation'({ open, site }) {
      const app = serveScript(site, await bundleReactApp())
      const [first, second] = [serveData(site, 'first'), serveData(site, 'second')]
      const page = await open(() => `<div id="root"></div><script src="${app}"></script>`)
      await page.tab.waitForFunction('window.navigate')

      await page.tab.evaluate(`navigate('${first}')`)
      await site.waitUntilCounted(first, 'first')
      await page.tab.evaluate(`navigate('${second}')`)
      await site.waitUntilCounted(second, 'second')

      assert.equal(await page.tab.evaluate(() => location.pathname), '/at/second')
    },

    async 'counts when its page replaces the whole body, and not again when the viewer goes back'({
      open,
      site,
    }) {
      const router = serveScript(site, BODY_ROUTER)
      const later = serveLaterPage(site, ({ ad }) => ad('later'))
      const page = await open(
        ({ ad }) =>
          `<script src="${router}"></script>${ad('first')}${template('witness', ad('witness'))}`,
      )
      await page.waitUntilCounted('first')

      await page.tab.evaluate(`navigate('${later}')`)
      await site.waitUntilCounted(later, 'later')
      await page.tab.evaluate('history.back()')
      await page.tab.waitForSelector('#first')
      await page.waitForWitness('witness')

      // It is not even reported twice: the outcome would be `duplicate`.
      assert.deepEqual(site.outcomes(page.path), ['first delivered', 'witness delivered'])
    },

    async 'counts when htmx replaces the body by a link that is boosted'({ open, site }) {
      const htmx = serveScript(site, HTMX.toString())
      const later = serveLaterPage(site, ({ ad }) => `<title>Later</title>${ad('later')}`)
      const page = await open(
        ({ ad }) =>
          `<script src="${htmx}"></script>${ad('first')}<a href="${later}" hx-boost="true">Later</a>`,
      )
      await page.waitUntilCounted('first')

      await page.tab.evaluate(() => Object.assign(window, { isSameDocument: true }))
      await page.tab.click('a')
      await site.waitUntilCounted(later, 'later')

      assert.equal(await page.tab.evaluate('window.isSameDocument'), true)
    },
  })
})
