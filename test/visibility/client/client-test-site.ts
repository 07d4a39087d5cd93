import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TrackImpression } from '../../../lib/track-impression.js'
import { AdSite, type FrameworkName } from '../../request/ad-site.js'

/** An ad's element: a box of 300 by 250 pixels, unless its style overrides this. */
export interface AdElement {
  /** `null` for no style attribute, so that the box has no size of its own. */
  readonly style?: string | null
  readonly tag?: string
  readonly content?: string
  /** Additional attributes. */
  readonly extra?: string
  /** Formats the attribute that `whenVisible()` returned; by default it is used as it is. */
  readonly write?: (attribute: string) => string
}

/** Renders an ad. Its name is the element's id, and part of the placement that the network receives. */
export type RenderAd = (name: string, element?: AdElement) => string

export interface RenderContext {
  readonly ad: RenderAd
  readonly track: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Renders the body of a page, for each request anew. */
export type RenderPage = (context: RenderContext) => string

/**
 * May answer a report or destroy its connection, so that the middleware does not see it.
 *
 * @param count 1 for the first report of the page
 */
export type FailReport = (count: number, res: ServerResponse) => void

/** Sees a request before the middleware does; returns `true` if it answers the request itself. */
type Interceptor = (req: IncomingMessage, res: ServerResponse) => boolean

interface ServedPage {
  readonly render: RenderPage
  readonly hasScript: boolean
}

const HEAD = '<!doctype html><link rel="icon" href="data:,"><style>body{margin:0}</style>'

/** A site to which tests add pages, with ads that count once they are visible. */
export class ClientTestSite implements AsyncDisposable {
  readonly #site: AdSite
  readonly #pages = new Map<string, ServedPage>()
  readonly #interceptors: Interceptor[]
  readonly #campaignsByPlacement = new Map<string, number>()

  private constructor(site: AdSite, interceptors: Interceptor[]) {
    this.#site = site
    this.#interceptors = interceptors
  }

  static async start(framework: FrameworkName): Promise<ClientTestSite> {
    const interceptors: Interceptor[] = []
    const isIntercepted: Interceptor = (req, res) =>
      interceptors.some((intercept) => intercept(req, res))
    let render: ClientTestSite['render'] = () => ''
    const site = await AdSite.start({
      framework,
      options: { visibility: { secret: 'a secret that is long enough to sign with' } },
      express: (app) => app.use((req, res, next) => (isIntercepted(req, res) ? undefined : next())),
      koa: (app) =>
        app.use(async (ctx, next) => {
          if (isIntercepted(ctx.req, ctx.res)) ctx.respond = false
          else await next()
        }),
      page: ({ track, req, res }) => render(track, req, res),
    })
    const testSite = new ClientTestSite(site, interceptors)
    render = (...visit) => testSite.render(...visit)
    return testSite
  }

  get origin(): string {
    return this.#site.url
  }

  /** Adds a page. @returns its path */
  serve(render: RenderPage, { hasScript = true } = {}): string {
    const path = `/${this.#pages.size + 1}`
    this.#pages.set(path, { render, hasScript })
    return path
  }

  /** The names of the page's ads that the network has counted, in alphabetical order. */
  counted(path: string): string[] {
    return this.#site.sandbox.ens.impressions
      .filter(({ placement }) => placement.startsWith(`${path} `))
      .map(({ placement }) => placement.slice(path.length + 1))
      .sort()
  }

  /** The outcomes of the page's ads, formatted as `name outcome`. */
  outcomes(path: string): string[] {
    const names = new Map<unknown, string>()
    for (const [placement, campaignId] of this.#campaignsByPlacement) {
      if (placement.startsWith(`${path} `)) names.set(campaignId, placement.slice(path.length + 1))
    }
    return this.#site.outcomes
      .filter(({ campaignId }) => names.has(campaignId))
      .map(({ campaignId, outcome }) => `${names.get(campaignId)} ${outcome}`)
      .sort()
  }

  /** Resolves once the network has counted these ads of the page. */
  async waitUntilCounted(path: string, ...names: string[]): Promise<void> {
    while (!names.every((name) => this.counted(path).includes(name))) {
      await this.waitForNextImpression()
    }
  }

  /** Resolves once the network has counted one more impression, of any page. */
  async waitForNextImpression(): Promise<void> {
    const { ens } = this.#site.sandbox
    await ens.received(ens.totals.impressions + 1)
  }

  /** Resolves once no impression is pending. */
  async waitUntilDelivered(): Promise<void> {
    await this.#site.tracker.flush()
  }

  /**
   * Records each report from the page.
   *
   * @returns a growing list of each report's `Sec-Fetch-Mode`, which is `no-cors` for a beacon
   */
  recordReports(path: string, fail?: FailReport): readonly string[] {
    const modes: string[] = []
    this.intercept((req, res) => {
      if (req.method !== 'POST' || !req.headers.referer?.endsWith(path)) return false
      modes.push(`${req.headers['sec-fetch-mode']}`)
      fail?.(modes.length, res)
      return res.writableEnded || res.destroyed
    })
    return modes
  }

  /** Lets `interceptor` see every request first. @returns a function that removes it */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.push(interceptor)
    return () => void this.#interceptors.splice(this.#interceptors.indexOf(interceptor), 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site[Symbol.asyncDispose]()
  }

  private render(track: TrackImpression, req: IncomingMessage, res: ServerResponse): string {
    const path = new URL(req.url ?? '/', this.origin).pathname
    const page = this.#pages.get(path)
    res.setHeader('content-type', 'text/html; charset=utf-8')
    if (!page) {
      res.statusCode = 404
      return ''
    }
    const ad: RenderAd = (name, element) => this.#renderAd(track, `${path} ${name}`, name, element)
    const body = page.render({ ad, track, req, res })
    return page.hasScript ? `${HEAD}${body}${track.script()}` : body
  }

  #renderAd(
    track: TrackImpression,
    placement: string,
    name: string,
    { style = '', tag = 'div', content = name, extra = '', write }: AdElement = {},
  ): string {
    const campaignId = this.#findCampaign(placement)
    const attribute = track.whenVisible({ campaignId, placement })
    const styleAttribute = style === null ? '' : ` style="width:300px;height:250px;${style}"`
    const start = `<${tag} id="${name}"${styleAttribute} ${extra} `
    return `${start}${write ? write(attribute) : attribute}>${content}</${tag}>`
  }

  #findCampaign(placement: string): number {
    const known = this.#campaignsByPlacement
    const campaignId = known.get(placement) ?? known.size + 1
    known.set(placement, campaignId)
    return campaignId
  }
}
