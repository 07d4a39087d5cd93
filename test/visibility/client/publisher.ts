import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TrackImpression } from '../../../lib/track-impression.js'
import { AdSite, type FrameworkName } from '../../request/ad-site.js'

/** An ad's element: a box of 300 by 250 pixels, unless its style says otherwise. */
export interface AdElement {
  /** `null` for no style, not even a size. */
  readonly style?: string | null
  readonly tag?: string
  readonly content?: string
  /** Attributes more. */
  readonly extra?: string
  /** Writes the attribute; else as `whenVisible` has it. */
  readonly write?: (attribute: string) => string
}

/** Makes an ad's markup; its name is its element's id, and what the ledger has it under. */
export type MakeAd = (name: string, element?: AdElement) => string

export interface Made {
  readonly ad: MakeAd
  readonly track: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Makes the body of a page, anew for each request. */
export type Body = (made: Made) => string

/** Takes a request before the middleware does; `true` if it answers it. */
type Gate = (req: IncomingMessage, res: ServerResponse) => boolean

interface Shown {
  readonly body: Body
  readonly hasScript: boolean
}

/** A site whose pages the tests write, with ads that count once they are seen. */
export class Publisher implements AsyncDisposable {
  readonly #site: AdSite
  readonly #pages = new Map<string, Shown>()
  readonly #gates: Gate[]
  readonly #campaigns = new Map<string, number>()

  private constructor(site: AdSite, gates: Gate[]) {
    this.#site = site
    this.#gates = gates
  }

  static async start(framework: FrameworkName): Promise<Publisher> {
    const gates: Gate[] = []
    const isTaken: Gate = (req, res) => gates.some((gate) => gate(req, res))
    let render: Publisher['render'] = () => ''
    const site = await AdSite.start({
      framework,
      options: { visibility: { secret: 'a secret that is long enough to sign with' } },
      express: (app) => app.use((req, res, next) => (isTaken(req, res) ? undefined : next())),
      koa: (app) =>
        app.use(async (ctx, next) => {
          if (isTaken(ctx.req, ctx.res)) ctx.respond = false
          else await next()
        }),
      page: ({ track, req, res }) => render(track, req, res),
    })
    const publisher = new Publisher(site, gates)
    render = (...visit) => publisher.render(...visit)
    return publisher
  }

  get origin(): string {
    return this.#site.url
  }

  /** Serves a page. @returns its path */
  serve(body: Body, { hasScript = true } = {}): string {
    const path = `/${this.#pages.size + 1}`
    this.#pages.set(path, { body, hasScript })
    return path
  }

  /** What the network was told of the page's ads: their names, in alphabetical order. */
  counted(path: string): string[] {
    return this.#site.sandbox.ens.impressions
      .filter(({ placement }) => placement.startsWith(`${path} `))
      .map(({ placement }) => placement.slice(path.length + 1))
      .sort()
  }

  /** The outcomes of the page's ads, as `name outcome`. */
  outcomes(path: string): string[] {
    const names = new Map<unknown, string>()
    for (const [placement, campaignId] of this.#campaigns) {
      if (placement.startsWith(`${path} `)) names.set(campaignId, placement.slice(path.length + 1))
    }
    return this.#site.outcomes
      .filter(({ campaignId }) => names.has(campaignId))
      .map(({ campaignId, outcome }) => `${names.get(campaignId)} ${outcome}`)
      .sort()
  }

  /** Resolves once the network was told of these ads of the page. */
  async counts(path: string, ...names: string[]): Promise<void> {
    while (!names.every((name) => this.counted(path).includes(name))) await this.hearsOneMore()
  }

  /** Resolves once the network was told of one more impression, of any page. */
  async hearsOneMore(): Promise<void> {
    const { ens } = this.#site.sandbox
    await ens.received(ens.totals.impressions + 1)
  }

  /** Resolves once nothing is on its way to the networks. */
  async settled(): Promise<void> {
    await this.#site.tracker.flush()
  }

  /**
   * Hears of each report from the page, oldest first: its `Sec-Fetch-Mode`, which is `no-cors` for a
   * beacon.
   *
   * @param fail may keep one from arriving
   */
  reports(path: string, fail: (count: number, res: ServerResponse) => void = () => undefined) {
    const heard: string[] = []
    this.guard((req, res) => {
      if (req.method !== 'POST' || !req.headers.referer?.endsWith(path)) return false
      heard.push(`${req.headers['sec-fetch-mode']}`)
      fail(heard.length, res)
      return res.writableEnded || res.destroyed
    })
    return heard
  }

  /** Lets `gate` take requests first, until what is returned is called. */
  guard(gate: Gate): () => void {
    this.#gates.push(gate)
    return () => void this.#gates.splice(this.#gates.indexOf(gate), 1)
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
    const ad: MakeAd = (
      name,
      { style = '', tag = 'div', content = name, extra = '', write } = {},
    ) => {
      const placement = `${path} ${name}`
      const attribute = track.whenVisible({ campaignId: this.#campaignOf(placement), placement })
      const look = style === null ? '' : ` style="width:300px;height:250px;${style}"`
      const start = `<${tag} id="${name}"${look} ${extra} `
      return `${start}${write ? write(attribute) : attribute}>${content}</${tag}>`
    }
    const body = page.body({ ad, track, req, res })
    return page.hasScript ? `${HEAD}${body}${track.script()}` : body
  }

  #campaignOf(placement: string): number {
    const campaign = this.#campaigns.get(placement) ?? this.#campaigns.size + 1
    this.#campaigns.set(placement, campaign)
    return campaign
  }
}

const HEAD = '<!doctype html><link rel="icon" href="data:,"><style>body{margin:0}</style>'
