import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import express from 'express'
import Koa from 'koa'
import { impressions } from '../../lib/express.js'
import type { OutcomeEvent } from '../../lib/impression.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { TrackerOptions } from '../../lib/options.js'
import { readReasonCode } from '../../lib/reason.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import type { TrackerMethods } from '../../lib/tracker.js'

export const FRAMEWORKS = ['Express 5', 'Koa 3'] as const

export type FrameworkName = (typeof FRAMEWORKS)[number]

/** What Express's `Request` and Koa's `Context` have in common. */
export interface FrameworkRequest {
  readonly headers: IncomingHttpHeaders
  readonly ip: string | undefined
  get(name: string): string | string[] | undefined
}

/** One request, as a page handles it. */
export interface SiteVisit {
  readonly track: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Answers a request. Returns the body, or `undefined` if it ends the response itself. */
export type SitePage = (visit: SiteVisit) => string | undefined

export const CHROME_USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36'

/** The headers of a click on a link. */
export const NAVIGATION_HEADERS = {
  'user-agent': CHROME_USER_AGENT,
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'none',
}

/** A navigation without Fetch Metadata, as browsers send it over http, and older browsers always. */
export const BARE_NAVIGATION_HEADERS = {
  'user-agent': NAVIGATION_HEADERS['user-agent'],
  accept: NAVIGATION_HEADERS.accept,
}

/** The headers of a `fetch` by a script of the page. */
export const FRAGMENT_HEADERS = {
  'user-agent': CHROME_USER_AGENT,
  accept: '*/*',
  'sec-fetch-dest': 'empty',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': 'same-origin',
}

export const CLOSIENT_CAMPAIGN = 'mhvXdrZT4jP5T8vBxuvm75'

/** Tracks one ad of each network. */
export const renderBothAds: SitePage = ({ track }) => {
  track({ campaignId: 42, placement: 'header_banner' })
  track({ campaignId: CLOSIENT_CAMPAIGN })
  return 'page'
}

/** Tracks the ENS campaigns that the path lists: for `/1/2` the campaigns 1 and 2. */
export const renderAdsByPath: SitePage = ({ req, track }) => {
  for (const [campaignId] of (req.url ?? '').matchAll(/\d+/g)) {
    track({ campaignId: Number(campaignId), placement: 'here' })
  }
  return 'page'
}

export interface PageResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface SiteSettings {
  readonly framework?: FrameworkName
  readonly options?: TrackerOptions<FrameworkRequest>
  readonly page?: SitePage
  /** Sets up the app before the middleware is mounted. */
  readonly express?: (app: express.Express) => void
  readonly koa?: (app: Koa) => void
  readonly maxHeaderSize?: number
}

/** A site with ads on a real socket, and a sandbox that receives its impressions. */
export class AdSite implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: TrackerMethods
  /** The messages that were logged. */
  readonly log: { readonly level: string; readonly message: string }[] = []
  readonly outcomes: OutcomeEvent[] = []
  readonly #server: Server
  #waiters: (() => void)[] = []

  private constructor(sandbox: Sandbox, settings: SiteSettings) {
    this.sandbox = sandbox
    const createLogMethod = (level: string) => (fields: object, message: string) => {
      // Outcomes have a log of their own.
      const isOutcome = / (outcome|suppressed)$/.test(String(Reflect.get(fields, 'kind')))
      if (!isOutcome) this.log.push({ level, message })
    }
    const options: TrackerOptions<FrameworkRequest> = {
      networks: [
        ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
        closient({ apiKey: sandbox.closient.apiKey, baseUrl: sandbox.closient.baseUrl }),
      ],
      logger: {
        debug: createLogMethod('debug'),
        warn: createLogMethod('warn'),
        error: createLogMethod('error'),
      },
      ...settings.options,
    }
    const { handler, tracker } =
      settings.framework === 'Koa 3'
        ? createKoaApp(options, settings)
        : createExpressApp(options, settings)
    this.tracker = tracker
    tracker.on('outcome', (event) => {
      this.outcomes.push(event)
      for (const resolve of this.#waiters.splice(0)) resolve()
    })
    this.#server = createServer({ maxHeaderSize: settings.maxHeaderSize ?? 16_384 }, handler)
  }

  static async start(settings: SiteSettings = {}): Promise<AdSite> {
    const site = new AdSite(await startSandbox(), settings)
    site.#server.listen(0, '127.0.0.1')
    await once(site.#server, 'listening')
    return site
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Sends one request on a new connection. */
  async get(
    path: string,
    headers: OutgoingHttpHeaders = {},
    method = 'GET',
  ): Promise<PageResponse> {
    const clientRequest = request({
      port: this.port,
      host: '127.0.0.1',
      path,
      headers,
      method,
      agent: false,
    })
    clientRequest.end()
    const [response]: IncomingMessage[] = await once(clientRequest, 'response')
    if (!response) throw new Error('no response')
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += chunk
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  }

  /**
   * Resolves once `count` impressions have an outcome, with all outcomes so far. Each is `ens
   * delivered`, or for a suppressed impression `ens bot`.
   */
  async waitForOutcomes(count: number): Promise<readonly string[]> {
    while (this.outcomes.length < count) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
    return this.outcomes.map(({ network, outcome, reason }) =>
      outcome === 'suppressed' ? `${network} ${readReasonCode(reason)}` : `${network} ${outcome}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.tracker.close({ timeoutMs: 1 })
    await this.sandbox.close()
  }
}

function createExpressApp(
  options: TrackerOptions<FrameworkRequest>,
  { page = renderBothAds, express: setUp }: SiteSettings,
) {
  const app = express()
  setUp?.(app)
  const tracker = impressions(options)
  app.use(tracker)
  app.use((req, res) => {
    const body = page({ track: res.locals.trackImpression, req, res })
    if (body !== undefined) res.send(body)
  })
  return { handler: app, tracker }
}

function createKoaApp(
  options: TrackerOptions<FrameworkRequest>,
  { page = renderBothAds, koa: setUp }: SiteSettings,
) {
  const app = new Koa()
  setUp?.(app)
  const tracker = koaImpressions(options)
  app.use(tracker)
  app.use((ctx) => {
    const body = page({ track: ctx.state.trackImpression, req: ctx.req, res: ctx.res })
    if (body === undefined) ctx.respond = false
    else ctx.body = body
  })
  return { handler: app.callback(), tracker }
}

/** The value of `Cookie` with which a browser sends back the cookies of the response. */
export function toCookieHeader({ headers }: PageResponse): string | undefined {
  return headers['set-cookie']?.map((cookie) => cookie.split(';', 1)[0]).join('; ')
}

/** The ids of the campaigns with this outcome, in ascending order. */
export function listCampaignIds(site: AdSite, outcome: string): unknown[] {
  return site.outcomes
    .filter((event) => event.outcome === outcome)
    .map(({ campaignId }) => campaignId)
    .sort((one, other) => Number(one) - Number(other))
}
