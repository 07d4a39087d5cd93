import assert from 'node:assert/strict'
import type { OutgoingHttpHeaders } from 'node:http'
import { AdSite, FRAGMENT_HEADERS, renderBothAds } from './ad-site.js'

const DATA = { 'content-type': 'text/x-script' }

const REDIRECTS: readonly [name: string, status: number, headers: OutgoingHttpHeaders][] = [
  ['HX-Redirect of htmx', 200, { 'HX-Redirect': '/login' }],
  ['HX-Location of htmx', 200, { 'HX-Location': '/login' }],
  ['HX-Refresh of htmx', 200, { 'HX-Refresh': 'true' }],
  ['X-Inertia-Location', 409, { 'X-Inertia-Location': 'https://a.example/' }],
  ['X-Inertia-Redirect', 409, { 'X-Inertia-Redirect': '/page#part' }],
  ['X-Nextjs-Redirect', 200, { 'x-nextjs-redirect': '/login' }],
  ['X-Remix-Redirect', 204, { 'X-Remix-Redirect': '/login' }],
  ["React Router's 202", 202, { 'X-Remix-Response': 'yes', ...DATA }],
]

const DISPLAYS: readonly [name: string, status: number, headers: OutgoingHttpHeaders][] = [
  ["React Router's data", 200, { 'X-Remix-Response': 'yes', ...DATA }],
  ['a 202 of the app', 202, DATA],
  ['an htmx fragment that pushes its URL', 200, { 'HX-Push-Url': '/page' }],
]

/** Requests data for a client-side router. @returns the outcome of what waits for the response's end */
async function trackInData(
  status: number,
  headers: OutgoingHttpHeaders,
  how: string,
): Promise<string | undefined> {
  await using site = await AdSite.start({
    page: (visit) => {
      renderBothAds(visit)
      if (how === 'writeHead()') visit.res.writeHead(status, headers)
      else {
        visit.res.statusCode = status
        for (const [name, value] of Object.entries(headers)) visit.res.setHeader(name, value ?? '')
      }
      visit.res.end()
      return undefined
    },
    express: (app) => app.disable('x-powered-by'),
  })
  await site.get('/page.data', FRAGMENT_HEADERS)
  return (await site.waitForOutcomes(2)).find((outcome) => outcome.startsWith('closient'))
}

for (const how of ['setHeader()', 'writeHead()']) {
  describe(`what a client-side router requests, with headers from ${how}`, () => {
    for (const [name, status, headers] of REDIRECTS) {
      it(`is a redirect by ${name}, and displays nothing`, async () => {
        assert.equal(await trackInData(status, headers, how), 'closient redirect')
      })
    }

    for (const [name, status, headers] of DISPLAYS) {
      it(`is displayed: ${name}`, async () => {
        assert.equal(await trackInData(status, headers, how), 'closient delivered')
      })
    }
  })
}
