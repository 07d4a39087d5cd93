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
import { FROM_OWN_PAGE, tokensIn, VisibleSite } from './visible-site.js'

type Options = TrackerOptions<unknown>
type Build = (options: Options) => App

const page = ({ whenVisible, script }: TrackImpression) => `<p ${whenVisible(ensAd())}>${script()}`

/** Mounted with its pages in a router of a router. */
function nested(makeApp: typeof express, outer: string, inner: string): Build {
  return (options) => {
    const tracker = impressions(options)
    const part = makeApp.Router({ mergeParams: true })
    part.use(tracker)
    part.use((_req, res) => void res.send(page(res.locals.trackImpression)))
    const router = makeApp.Router().use(inner, part)
    return { listener: makeApp().set('env', 'test').use(outer, router), trackers: [tracker] }
  }
}

/** Mounted by itself; the pages are the app's, in a router of their own. */
function alone(makeApp: typeof express): Build {
  return (options) => {
    const tracker = impressions(options)
    const app = makeApp().use('/shop', tracker)
    app.use('/shop/in', (_req, res) => void res.send(page(res.locals.trackImpression)))
    return { listener: app, trackers: [tracker] }
  }
}

function mountedKoa(makeApp: typeof Koa): Build {
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

function mountedAloneKoa(makeApp: typeof Koa): Build {
  return (options) => {
    const tracker = koaImpressions(options)
    const app = new makeApp().use(mount('/shop', tracker))
    app.use((ctx) => {
      ctx.body = page(ctx.state.trackImpression)
    })
    return { listener: app.callback(), trackers: [tracker] }
  }
}

/** The app's pages are counted by a tracker that other apps may share. */
function mountedSharedKoa(makeApp: typeof Koa): Build {
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

function addressIn(html: string): string {
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
      `a router of a router in ${name}`,
      nested(makeApp, '/shop', '/in'),
      '/shop/in',
      ['/shop/in', '/shop/in/', '/shop/in/page', '/shop/in?a=/b', '/shop/in/in/page?a=1'],
    ],
    [
      `a router with a parameter in ${name}`,
      nested(makeApp, '/of/:shop', '/'),
      '/of/one-2',
      ['/of/one-2', '/of/one-2/page'],
    ],
    [
      `itself below a path in ${name}`,
      alone(makeApp),
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
      `an app of an app in ${name}`,
      mountedKoa(makeApp),
      '/shop/in',
      ['/shop/in', '/shop/in/', '/shop/in/page', '/shop/in?a=/b'],
    ],
    [
      `an app with a shared tracker in ${name}`,
      mountedSharedKoa(makeApp),
      '/shop',
      ['/shop', '/shop/page?a=1'],
    ],
    [
      `itself below a path in ${name}`,
      mountedAloneKoa(makeApp),
      '/shop',
      ['/shop', '/shop/page', '/shop/shop?/shop'],
    ],
  ]),
]

for (const [where, build, at, pages] of MOUNTED) {
  describe(`mounted in ${where}`, () => {
    for (const path of pages) {
      it(`the browser’s half is served where the page ${path} says, and heard there`, async () => {
        await using site = await VisibleSite.start({ build })
        const { text } = await site.ask(path)

        const address = addressIn(text)
        assert.match(address, new RegExp(`^${at}/_visible/client\\.js\\?v=`))
        assert.match((await site.ask(address)).text, /IntersectionObserver/)
        // As the browser's half finds it.
        const endpoint = address.replace(/\/client\.js.*$/, '')
        assert.equal((await site.report(tokensIn(text), FROM_OWN_PAGE, endpoint)).status, 204)

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
  describe(`a mount path of the client’s choice in ${name}`, () => {
    for (const hostile of [
      '/of/"><script>alert(1)</script>/page',
      '/of/%22%3E%3Cscript%3E/page'.replace('%3C', '<'),
      "/of/x'onload='alert(1)/page",
      '/of/&quot;/page',
      '/of/a;b/page',
      '/of/\\evil.example/page',
      '/of/`/page',
    ]) {
      it(`never reaches the page: ${hostile}`, async () => {
        await using site = await VisibleSite.start({ build: nested(makeApp, '/of/:shop', '/') })

        const { text } = await site.ask(hostile)

        assert.match(addressIn(text), /^\/_visible\/client\.js\?v=[\w-]{16}$/)
      })
    }

    it('names no other host', async () => {
      await using site = await VisibleSite.start({ build: nested(makeApp, '/:shop', '/') })

      for (const path of ['//evil.example/page', '/%2Fevil.example/page', '///evil.example']) {
        const { status, text } = await site.ask(path)
        if (status !== 200) continue
        const base = new URL(`http://127.0.0.1:${site.port}`)
        assert.equal(new URL(addressIn(text), base).host, base.host, path)
      }
      assert.equal((await site.ask('/%2Fevil.example/page')).status, 200)
    })
  })
}

describe('mounted twice in one app', () => {
  it('counts a report once', async () => {
    await using site = await VisibleSite.start({
      build(options) {
        const tracker = impressions(options)
        const app = express().use(tracker, tracker)
        app.use((_req, res) => void res.send(page(res.locals.trackImpression)))
        return { listener: app, trackers: [tracker] }
      },
    })

    await site.report(await site.tokens())

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
  })
})
