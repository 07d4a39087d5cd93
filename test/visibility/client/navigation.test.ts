import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import type { ClientTestSite, RenderPage } from './client-test-site.js'
import { testConcurrently } from './concurrent-scenarios.js'
import { template } from './test-page.js'

const { resolve } = createRequire(import.meta.url)
const HTMX = readFileSync(resolve('htmx.org/dist/htmx.min.js'))
const TURBO = readFileSync(resolve('@hotwired/turbo/dist/turbo.es2017-umd.js'))

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

/** Its loader fetches a page's data, and each page renders into the element of the last one. */
const REACT_APP = `
  import { createElement } from 'react'
  import { createRoot } from 'react-dom/client'
  import { createBrowserRouter, RouterProvider, useLoaderData } from 'react-router'

  function Page() {
    const { name, attribute } = useLoaderData()
    const style = { width: 300, height: 250 }
    return createElement('div', { style, 'data-ad-impression': attribute }, name)
  }
  const loader = async ({ params }) => (await fetch('/' + params.data)).json()
  const router = createBrowserRouter([
    { path: '/at/:data', element: createElement(Page), loader },
    { path: '*', element: createElement('p') },
  ])
  window.navigate = (path) => router.navigate('/at' + path)
  createRoot(document.getElementById('root')).render(createElement(RouterProvider, { router }))
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

describe('an ad of a page that the browser never loads', () => {
  testConcurrently({
    async 'counts when React Router renders it after a navigation'({ open, site }) {
      const app = serveScript(site, await bundleReactApp())
      const [first, second] = [serveData(site, 'first'), serveData(site, 'second')]
      const page = await open(() => `<div id="root"></div><script src="${app}"></script>`)
      await page.tab.waitForFunction('window.navigate')

      await page.tab.evaluate(`navigate('${first}')`)
      await site.waitUntilCounted(first, 'first')
      await page.tab.evaluate(`navigate('${second}')`)
      await site.waitUntilCounted(second, 'second')

      assert.equal(await page.tab.evaluate(() => location.pathname), `/at${second}`)
    },

    async 'counts when Turbo Drive replaces the body, and not again when the viewer goes back'({
      open,
      site,
    }) {
      const turbo = serveScript(site, TURBO.toString())
      const later = serveLaterPage(site, ({ ad }) => ad('later'))
      const page = await open(
        ({ ad }) =>
          `<script src="${turbo}"></script>${ad('first')}${template('witness', ad('witness'))}`,
      )
      await page.waitUntilCounted('first')

      await page.tab.evaluate(`Turbo.visit('${later}')`)
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
