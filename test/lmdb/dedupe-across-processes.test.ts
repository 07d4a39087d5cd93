// Tests lib/counting/page-load-uuid.ts

// What several processes count once, shown with two trackers that share nothing but their outbox.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import type { TrackImpression } from '../../lib/index.js'
import { lmdbOutbox } from '../../lib/lmdb/index.js'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { createTracker, type Tracker } from '../../lib/tracker.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { createNetworks } from '../page-load/sandbox-networks.js'

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const FRAGMENT = {
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
}
const SECRET = 'k8#Tq2v!Zr5@Lm9$Xw4%Bn7&Hc3*Jd6('

type Page = (trackImpression: TrackImpression) => string

describe('processes that share an outbox', () => {
  let sandbox: Sandbox
  let directory: string
  const stops: (() => Promise<unknown>)[] = []

  beforeEach(async () => {
    sandbox = await startSandbox()
    directory = mkdtempSync(path.join(tmpdir(), 'ad-impressions-lmdb-'))
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    await sandbox.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** One process of the site, whose pages are given with each visit. */
  async function startProcess(options: TrackerOptions) {
    const tracker: Tracker = createTracker({
      networks: createNetworks(sandbox),
      outbox: lmdbOutbox({ path: directory }),
      logger: createMemoryLogger([]),
      ...options,
    })
    let page: Page = () => ''
    const server = createServer((req, res) => {
      const reply = tracker.reply(req)
      if (reply) {
        void reply.then(({ status, headers, body }) => res.writeHead(status, headers).end(body))
        return
      }
      res.setHeader('content-type', 'text/html')
      res.end(page(tracker.pageLoad(req, res)))
    })
    await listenOnLoopback(server)
    const origin = `http://127.0.0.1:${getPort(server)}`
    stops.push(
      () => tracker.close(),
      async () => server.close(),
    )
    return {
      tracker,
      origin,
      async visit(headers: Record<string, string>, shown: Page) {
        page = shown
        const { headers: sent, body } = await request(`${origin}/page`, {
          headers: { 'user-agent': BROWSER, ...headers },
        })
        return {
          cookie: String(sent['set-cookie'] ?? '').split(';')[0] ?? '',
          html: await body.text(),
        }
      },
    }
  }

  const show: Page = (trackImpression) => trackImpression({ campaignId: 42, placement: 'header' })

  async function assertCounted(times: number, ...trackers: Tracker[]): Promise<void> {
    for (const tracker of trackers) await tracker.flush()
    assert.equal(sandbox.ens.impressions.length, times)
    const fleet = await trackers[0]?.fleetStats()
    assert.equal(fleet?.ens?.delivered, times)
  }

  it('count a page that is retried under its request id once', async () => {
    const options = { requestId: () => 'page-1' }
    const [one, two] = [await startProcess(options), await startProcess(options)]
    await Promise.all([one.visit(NAVIGATION, show), two.visit(NAVIGATION, show)])
    await assertCounted(1, one.tracker, two.tracker)
    // Whichever has the duplicate reports it first when it is asked itself.
    const fleets = [await one.tracker.fleetStats(), await two.tracker.fleetStats()]
    assert.equal(Math.max(...fleets.map(({ ens }) => ens?.duplicate ?? 0)), 1)
  })

  for (const [description, options] of [
    ['', {}],
    [', also with the option requestId', { requestId: () => 'page-1' }],
  ] as const) {
    it(`count a campaign of a page and of its fragment once, by the cookie${description}`, async () => {
      const [one, two] = [
        await startProcess({ ...options, pageLoadCookie: true }),
        await startProcess({ pageLoadCookie: true }),
      ]
      const { cookie } = await one.visit(NAVIGATION, show)
      const referer = `${one.origin}/page`
      await two.visit({ ...FRAGMENT, cookie, referer }, show)
      await assertCounted(1, one.tracker, two.tracker)
    })
  }

  it('count pages without an id that can come back each time', async () => {
    const [one, two] = [await startProcess({}), await startProcess({})]
    await one.visit(NAVIGATION, show)
    await two.visit(NAVIGATION, show)
    await assertCounted(2, one.tracker, two.tracker)
  })

  it('count an ad that is rendered in one and reported to both as viewable once', async () => {
    const options = { visibility: { secret: SECRET } }
    const [one, two] = [await startProcess(options), await startProcess(options)]
    const { html } = await one.visit(NAVIGATION, (trackImpression) =>
      trackImpression.whenVisible({ campaignId: 42, placement: 'header' }),
    )
    const token = html.slice(html.indexOf('=') + 1)
    await delay(1_100)
    for (const { origin } of [two, one, two]) {
      const { body } = await request(`${origin}/_visible`, {
        method: 'POST',
        headers: { 'user-agent': BROWSER, origin, 'content-type': 'text/plain' },
        body: JSON.stringify([token]),
      })
      await body.dump()
    }
    await assertCounted(1, one.tracker, two.tracker)
  })

  it('count an ad that is rendered in one and then reported to another as viewable once', async () => {
    const options = { visibility: { secret: SECRET } }
    const [one, two] = [await startProcess(options), await startProcess(options)]
    const { html } = await one.visit(NAVIGATION, (trackImpression) => {
      show(trackImpression)
      return trackImpression.whenVisible({ campaignId: 42, placement: 'header' })
    })
    await delay(1_100)
    const { body } = await request(`${two.origin}/_visible`, {
      method: 'POST',
      headers: { 'user-agent': BROWSER, origin: two.origin, 'content-type': 'text/plain' },
      body: JSON.stringify([html.slice(html.indexOf('=') + 1)]),
    })
    await body.dump()
    await assertCounted(1, one.tracker, two.tracker)
  })
})
