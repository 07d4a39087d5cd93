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
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import type { TrackerMethods } from '../../lib/tracker.js'

export const FRAMEWORKS = ['Express 5', 'Koa 3'] as const

export type FrameworkName = (typeof FRAMEWORKS)[number]

/** What Express's `Request` and Koa's `Context` have in common. */
export interface Source {
  readonly headers: IncomingHttpHeaders
  readonly ip: string | undefined
  get(name: string): string | string[] | undefined
}

/** One request, as a page sees it. */
export interface Visit {
  readonly track: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Answers a request; what it returns is the body, unless the page has ended the response itself. */
export type Page = (visit: Visit) => string | undefined

export const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36'

/** What a browser sends with a click on a link. */
export const NAVIGATION = {
  'user-agent': CHROME,
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'none',
}

/** What a browser sends over http, or sent before there was Fetch Metadata. */
export const BARE_NAVIGATION = {
  'user-agent': NAVIGATION['user-agent'],
  accept: NAVIGATION.accept,
}

/** What a browser sends when a script of the page fetches. */
export const FRAGMENT = {
  'user-agent': CHROME,
  accept: '*/*',
  'sec-fetch-dest': 'empty',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': 'same-origin',
}

export const CLOSIENT_CAMPAIGN = 'mhvXdrZT4jP5T8vBxuvm75'

/** One ad of each network. */
export const bothAds: Page = ({ track }) => {
  track({ campaignId: 42, placement: 'header_banner' })
  track({ campaignId: CLOSIENT_CAMPAIGN })
  return 'page'
}

/** The ads whose numbers are in the path: `/1/2` has the campaigns 1 and 2 of ENS. */
export const adsByPath: Page = ({ req, track }) => {
  for (const [campaignId] of (req.url ?? '').matchAll(/\d+/g)) {
    track({ campaignId: Number(campaignId), placement: 'here' })
  }
  return 'page'
}

export interface Heard {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Start {
  readonly framework?: FrameworkName
  readonly options?: TrackerOptions<Source>
  readonly page?: Page
  /** Sets the app up: before the middleware, as far as Express is concerned. */
  readonly express?: (app: express.Express) => void
  readonly koa?: (app: Koa) => void
  readonly maxHeaderSize?: number
}

/** A site with ads, on a real socket, and the networks that it tells of them. */
export class Site implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: TrackerMethods
  /** What was logged, by level. */
  readonly log: { readonly level: string; readonly message: string }[] = []
  readonly outcomes: OutcomeEvent[] = []
  readonly #server: Server
  #waiters: (() => void)[] = []

  private constructor(sandbox: Sandbox, start: Start) {
    this.sandbox = sandbox
    const say = (level: string) => (_fields: object, message: string) => {
      this.log.push({ level, message })
    }
    const options: TrackerOptions<Source> = {
      networks: [
        ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
        closient({ apiKey: sandbox.closient.apiKey, baseUrl: sandbox.closient.baseUrl }),
      ],
      logger: { debug: say('debug'), warn: say('warn'), error: say('error') },
      ...start.options,
    }
    const { handler, tracker } =
      start.framework === 'Koa 3' ? koaSite(options, start) : expressSite(options, start)
    this.tracker = tracker
    tracker.on('outcome', (event) => {
      this.outcomes.push(event)
      for (const wake of this.#waiters.splice(0)) wake()
    })
    this.#server = createServer({ maxHeaderSize: start.maxHeaderSize ?? 16_384 }, handler)
  }

  static async start(start: Start = {}): Promise<Site> {
    const site = new Site(await startSandbox(), start)
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

  /** Sends one request over a socket of its own. */
  async get(path: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Heard> {
    const sent = request({
      port: this.port,
      host: '127.0.0.1',
      path,
      headers,
      method,
      agent: false,
    })
    sent.end()
    const [answer]: IncomingMessage[] = await once(sent, 'response')
    if (!answer) throw new Error('no answer')
    let body = ''
    for await (const chunk of answer.setEncoding('utf8')) body += chunk
    return { status: answer.statusCode ?? 0, headers: answer.headers, body }
  }

  /** Resolves once so many impressions have an outcome; then `network campaign outcome reason`. */
  async told(count: number): Promise<readonly string[]> {
    while (this.outcomes.length < count) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
    return this.outcomes.map(({ network, outcome, reason }) =>
      outcome === 'suppressed' ? `${network} ${reason}` : `${network} ${outcome}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.tracker.close({ timeoutMs: 1 })
    await this.sandbox.close()
  }
}

function expressSite(options: TrackerOptions<Source>, { page = bothAds, express: setUp }: Start) {
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

function koaSite(options: TrackerOptions<Source>, { page = bothAds, koa: setUp }: Start) {
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

/** The cookies that an answer sets, as a browser would send them back. */
export function cookieOf({ headers }: Heard): string | undefined {
  return headers['set-cookie']?.map((cookie) => cookie.split(';', 1)[0]).join('; ')
}
