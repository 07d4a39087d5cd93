import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import express, { type Express, type Response } from 'express'
import { engine } from 'express-handlebars'
import * as nunjucks from 'nunjucks'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { impressions } from '../../lib/express.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { VisibleSite } from './visible-site.js'

const VIEWS = new URL('views', import.meta.url).pathname
const ATTRIBUTE = 'data-ad-impression'

const ad = (campaignId: number) => ({ campaignId, placement: 'here' })

/** The last argument of a Handlebars helper. */
interface HelperOptions {
  readonly hash: { readonly campaignId: number; readonly placement: string }
  readonly data: { readonly root: { readonly trackImpression: TrackImpression } }
}

const helpers = {
  whenVisible: ({ hash, data }: HelperOptions) => data.root.trackImpression.whenVisible(hash),
  script: ({ data }: HelperOptions) => data.root.trackImpression.script(),
}

type Render = (res: Response) => void

/** Each renders the campaigns 1, 2 and 3, in every way in which the language can print a value. */
const ENGINES: Readonly<Record<string, (app: Express) => Render>> = {
  EJS: () => (res) => res.render('page.ejs'),
  Pug: () => (res) => res.render('page.pug'),
  Handlebars(app) {
    app.engine('handlebars', engine({ defaultLayout: false, helpers }))
    return (res) => res.render('page.handlebars')
  },
  Nunjucks(app) {
    nunjucks.configure(VIEWS, { autoescape: true, express: app })
    return (res) => res.render('page.njk')
  },
  React: () => (res) => {
    const { whenVisible, script } = res.locals.trackImpression
    const ads = [1, 2, 3].map((n) =>
      createElement('p', { key: n, [ATTRIBUTE]: whenVisible(ad(n)) || undefined }),
    )
    // biome-ignore lint/security/noDangerouslySetInnerHtml: script() returns markup
    const head = createElement('div', { dangerouslySetInnerHTML: { __html: script() } })
    res.send(renderToStaticMarkup(createElement('main', {}, head, ads)))
  },
  'a template literal': () => (res) => {
    const { whenVisible, script } = res.locals.trackImpression
    res.send(`${script()}<p ${whenVisible(ad(1))}><img alt="an ad"
      ${whenVisible(ad(2))}/><a href=x ${whenVisible(ad(3))}
    >3</a>`)
  },
}

function* walkElements(
  node: DefaultTreeAdapterTypes.Node,
): Generator<DefaultTreeAdapterTypes.Element> {
  if ('attrs' in node) yield node
  if ('childNodes' in node) for (const child of node.childNodes) yield* walkElements(child)
}

function findAttributes(html: string, name: string): string[] {
  return [...walkElements(parse(html))].flatMap(({ attrs }) =>
    attrs.filter((attribute) => attribute.name === name).map(({ value }) => value),
  )
}

/** What the client script removes from the attribute's value. */
const NOT_TOKEN = /^.*=|[^\w.-]/g

describe('the markup of an ad that counts once it is visible', () => {
  it('is read by these tests as the client script reads it', async () => {
    const source = await readFile('lib/visibility/client/client.ts', 'utf8')

    assert.ok(source.includes(`.replace(${NOT_TOKEN}, '')`))
  })

  for (const [language, makeRender] of Object.entries(ENGINES)) {
    it(`contains the token and the URL of the client script, printed by ${language}`, async () => {
      await using site = await VisibleSite.start({
        build(options) {
          const app = express().set('views', VIEWS).set('env', 'test')
          const tracker = impressions(options)
          const render = makeRender(app)
          app.use(tracker).get('/', (_req, res) => render(res))
          return { listener: app, trackers: [tracker] }
        },
      })
      const { status, text } = await site.request()
      assert.equal(status, 200, text)

      const tokens = findAttributes(text, ATTRIBUTE).map((value) => value.replace(NOT_TOKEN, ''))
      await site.sendReport(tokens)

      await site.waitForOutcomes(3)
      assert.deepEqual(
        site.outcomes.map(({ campaignId, outcome }) => [campaignId, outcome]).sort(),
        [1, 2, 3].map((campaignId) => [campaignId, 'delivered']),
      )
      const [url = ''] = findAttributes(text, 'src')
      assert.equal((await site.request(url)).status, 200)
    })
  }
})
