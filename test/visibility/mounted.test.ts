import assert from 'node:assert/strict'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { impressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import type { TrackerOptions } from '../../lib/options.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { createTracker } from '../../lib/tracker.js'
import type { App } from '../frameworks/framework.js'
import { ensAd } from '../page-load/campaigns.js'
import { findTokens, SAME_ORIGIN_HEADERS, VisibleSite } from './visible-site.js'

type Options = TrackerOptions<unknown>
type Build = (options: Options) => App

const page = ({ whenVisible, script }: TrackImpression) => `<p ${whenVisible(ensAd())}>${script()}`

/** Mounts the middleware and its pages in a nested router. */
function mountInNestedRouter(makeApp: typeof express, outer: string, inner: string): Build {
  return (options) => {
    const tracker = impressions(options)
    const part = makeApp.Router({ mergeParams: true })
    part.use(tracker)
    part.use((_req, res) => void res.send(page(res.locals.trackImpression)))
    const router = makeApp.Router().use(inner, part)
    return { listener: makeApp().set('env', 'test').use(outer, router), trackers: [tracker] }
  }
}

/** Mounts only the middleware at a path; the pages belong to the app. */
function mountAlone(makeApp: typeof express): Build {
  return (options) => {
    const tracker = impressions(options)
    const app = makeApp().use('/shop', tracker)
    app.use('/shop/in', (_req, res) => void res.send(page(res.locals.trackImpression)))
    return { listener: app, trackers: [tracker] }
  }
}

function mountNestedKoa(makeApp: typeof Koa): Build {
  return (options) => {
    const tracker = koaImpressions(options)
    const part = new makeApp().use(tracker)
    part.use((ctx) => {
      ctx.body = page(ctx.state.trackImpression)
    })
    const app = new makeApp().use(mount('/shop', mount('/in', part)))
    app.silent = true
    return { listener: app.callback(), trackers: [tracker] }
  }
}

function mountAloneKoa(makeApp: typeof Koa): Build {
  return (options) => {
    const tracker = koaImpressions(options)
    const app = new makeApp().use(mount('/shop', tracker))
    app.use((ctx) => {
      ctx.body = page(ctx.state.trackImpression)
    })
    return { listener: app.callback(), trackers: [tracker] }
  }
}

/** Mounts an app whose tracker may be shared with other apps. */
function mountSharedKoa(makeApp: typeof Koa): Build {
  return (options) => {
    const tracker = createTracker(options)
    const part = new makeApp().use(koaImpressions({ tracker }))
    part.use((ctx) => {
      ctx.body = page(ctx.state.trackImpression)
    })
    const app = new makeApp().use(mount('/shop', part))
    return { listener: app.callback(), trackers: [tracker] }
  }
}

function findScriptUrl(html: string): string {
  return /<script src="([^"]*)" async><\/script>$/.exec(html)?.[1] ?? assert.fail(html)
}

const MOUNTED: readonly [where: string, build: Build, at: string, pages: readonly string[]][] = [
  ...(
    [
      ['Express 4', express4],
      ['Express 5', express],
    ] as const
  ).flatMap(([name, makeApp]): [string, Build, string, string[]][] => [
    [
      `a nested router in ${name}`,
      mountInNestedRouter(makeApp, '/shop', '/in'),
      '/shop/in',
      ['/shop/in', '/shop/in/', '/shop/in/page', '/shop/in?a=/b', '/shop/in/in/page?a=1'],
    ],
    [
      `a router with a parameter in ${name}`,
      mountInNestedRouter(makeApp, '/of/:shop', '/'),
      '/of/one-2',
      ['/of/one-2', '/of/one-2/page'],
    ],
    [
      `the app at a path, without its pages, in ${name}`,
      mountAlone(makeApp),
      '/shop',
      ['/shop/in', '/shop/in/page/', '/shop/in/shop?/shop'],
    ],
  ]),
  ...(
    [
      ['Koa 2', Koa2],
      ['Koa 3', Koa],
    ] as const
  ).flatMap(([name, makeApp]): [string, Build, string, string[]][] => [
    [
      `a nested app in ${name}`,
      mountNestedKoa(makeApp),
      '/shop/in',
      ['/shop/in', '/shop/in/', '/shop/in/page', '/shop/in?a=/b'],
    ],
    [
      `an app with a shared tracker in ${name}`,
      mountSharedKoa(makeApp),
      '/shop',
      ['/shop', '/shop/page?a=1'],
    ],
    [
      `the app at a path, without its pages, in ${name}`,
      mountAloneKoa(makeApp),
      '/shop',
      ['/shop', '/shop/page', '/shop/shop?/shop'],
    ],
  ]),
]

for (const [where, build, at, pages] of MOUNTED) {
  describe(`mounted in ${where}`, () => {
    for (const path of pages) {
      it(`the page ${path} names the URL of the client script, and reports arrive there`, async () => {
        await using site = await VisibleSite.start({ build })
        const { text } = await site.request(path)

        const url = findScriptUrl(text)
        assert.match(url, new RegExp(`^${at}/_visible/client\\.js\\?v=`))
        assert.match((await site.request(url)).text, /IntersectionObserver/)
        // The same expression as in the client script.
        const endpoint = url.replace(/\/client\.js.*$/, '')
        assert.equal(
          (await site.sendReport(findTokens(text), SAME_ORIGIN_HEADERS, endpoint)).status,
          204,
        )

        await site.waitForOutcomes(1)
        assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
      })
    }
  })
}

for (const [name, makeApp] of [
  ['Express 4', express4],
  ['Express 5', express],
] as const) {
  describe(`a mount path that the client chooses, in ${name}`, () => {
    for (const hostile of [
      '/of/"><script>alert(1)</script>/page',
      '/of/%22%3E%3Cscript%3E/page'.replace('%3C', '<'),
      "/of/x'onload='alert(1)/page",
      '/of/&quot;/page',
      '/of/a;b/page',
      '/of/\\evil.example/page',
      '/of/`/page',
    ]) {
      it(`is not written into the page: ${hostile}`, async () => {
        await using site = await VisibleSite.start({
          build: mountInNestedRouter(makeApp, '/of/:shop', '/'),
        })

        const { text } = await site.request(hostile)

        assert.match(findScriptUrl(text), /^\/_visible\/client\.js\?v=[\w-]{16}$/)
      })
    }

    it('cannot make the page load the script from another host', async () => {
      await using site = await VisibleSite.start({
        build: mountInNestedRouter(makeApp, '/:shop', '/'),
      })

      for (const path of ['//evil.example/page', '/%2Fevil.example/page', '///evil.example']) {
        const { status, text } = await site.request(path)
        if (status !== 200) continue
        const base = new URL(`http://127.0.0.1:${site.port}`)
        assert.equal(new URL(findScriptUrl(text), base).host, base.host, path)
      }
      assert.equal((await site.request('/%2Fevil.example/page')).status, 200)
    })
  })
}

describe('a middleware that is mounted twice in one app', () => {
  it('counts a report once', async () => {
    await using site = await VisibleSite.start({
      build(options) {
        const tracker = impressions(options)
        const app = express().use(tracker, tracker)
        app.use((_req, res) => void res.send(page(res.locals.trackImpression)))
        return { listener: app, trackers: [tracker] }
      },
    })

    await site.sendReport(await site.fetchTokens())

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
  })
})
