import { type Clock, systemClock } from '../../lib/clock.js'
import type { Network } from '../../lib/networks/network.js'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { assembleTracker, type Tracker, type TrackerMethods } from '../../lib/tracker.js'
import { bareFramework, bareFrameworkOnHttp2, createBareApp } from '../frameworks/bare-app.js'
import { type App, type Framework, type FrameworkPage, getItem } from '../frameworks/framework.js'
import { FRAMEWORKS } from '../frameworks/frameworks.js'
import { type RunningServer, startServer } from '../frameworks/start-server.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'

import { sendRequest, type TestResponse } from './send-request.js'

/** Every server that serves the client script and receives its reports. */
export const SERVERS: readonly Framework[] = [...FRAMEWORKS, bareFrameworkOnHttp2]

export const SECRET = 'a-secret-of-this-test-0123456789-abcdef'

/** The headers that a page of the site sends its reports with. */
export const SAME_ORIGIN_HEADERS = {
  'content-type': 'text/plain;charset=UTF-8',
  'sec-fetch-site': 'same-origin',
}

/** A page with an ad of each network, and the client script. */
export const twoAds: FrameworkPage = ({ trackImpression: { whenVisible, script }, answer }) => {
  answer(`<p ${whenVisible(ensAd())}>1<p ${whenVisible(closientAd())}>2${script()}`)
}

/** A page with the ENS campaigns that its path lists: `/1/2` has the campaigns 1 and 2. */
export const adsByPath: FrameworkPage = ({ trackImpression, req, answer }) => {
  const numbers = (req.url ?? '').match(/\d+/g) ?? []
  answer(numbers.map((n) => `<p ${trackImpression.whenVisible(ensAd(Number(n)))}>`).join('\n'))
}

type Options = TrackerOptions<unknown>

let aheadMs = 0
const { wallNow } = systemClock
systemClock.wallNow = () => wallNow() + aheadMs

/** Sets the process's clock ahead by the second for which an ad must be in view. */
function passViewableSecond(): void {
  aheadMs += 1_000
}

interface VisibleSiteOptions {
  /** @default the bare server */
  readonly server?: Framework
  /** @default `twoAds` */
  readonly page?: FrameworkPage
  readonly options?: Options
  /** @default both networks of the sandbox */
  readonly networks?: (sandbox: Sandbox) => readonly Network[]
  /** The clock of the bare server. */
  readonly clock?: Clock
  /** Builds a custom app, instead of one on `server`. */
  readonly build?: (options: Options) => App | Promise<App>
}

/** A site on a real socket whose ads count once they are visible, and its sandbox networks. */
export class VisibleSite extends OutcomeRecorder implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: TrackerMethods
  /** The messages logged so far. */
  readonly logLines: readonly string[]
  readonly #served: RunningServer
  readonly #protocol: Framework['protocol']

  private constructor(
    sandbox: Sandbox,
    tracker: TrackerMethods,
    logLines: readonly string[],
    served: RunningServer,
    protocol: Framework['protocol'],
  ) {
    super(tracker)
    this.sandbox = sandbox
    this.tracker = tracker
    this.logLines = logLines
    this.#served = served
    this.#protocol = protocol
  }

  static async start(siteOptions: VisibleSiteOptions = {}): Promise<VisibleSite> {
    const { server = bareFramework, networks = createNetworks } = siteOptions
    const sandbox = await startSandbox()
    const logLines: string[] = []
    const app = await buildApp(server, siteOptions, {
      networks: networks(sandbox),
      logger: createMemoryLogger(logLines),
      visibility: { secret: SECRET },
      ...siteOptions.options,
    })
    const served = await startServer(server.protocol, app)
    return new VisibleSite(sandbox, getItem(app.trackers, 0), logLines, served, server.protocol)
  }

  get port(): number {
    return this.#served.port
  }

  /** Sends a request with a browser's headers. */
  request(
    path = '/',
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<TestResponse> {
    return sendRequest(this.#protocol, this.port, {
      path,
      method,
      headers: { ...BROWSER_HEADERS, ...headers },
    })
  }

  /** Requests a page and returns the tokens in it. */
  async fetchTokens(path?: string, headers?: Readonly<Record<string, string>>): Promise<string[]> {
    return findTokens((await this.request(path, headers)).text)
  }

  /**
   * Sends a report of these tokens, or any other body, as if their ads had been in view for a second.
   * By default it comes from the site itself.
   */
  sendReport(...report: Parameters<VisibleSite['sendReportNow']>): Promise<TestResponse> {
    passViewableSecond()
    return this.sendReportNow(...report)
  }

  /** Sends a report like `sendReport`, but no later than it is. */
  sendReportNow(
    report: readonly string[] | string | Buffer,
    headers: Readonly<Record<string, string>> = SAME_ORIGIN_HEADERS,
    path = '/_visible',
  ): Promise<TestResponse> {
    const body = Array.isArray(report) ? JSON.stringify(report) : report.toString()
    return sendRequest(this.#protocol, this.port, {
      method: 'POST',
      path,
      headers: { ...BROWSER_HEADERS, ...headers },
      body: Buffer.isBuffer(report) ? report : body,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served.close()
    await this.tracker.close({ timeoutMs: 1 })
    await this.sandbox.close()
    this.assertStatsBalanced()
    aheadMs = 0
  }
}

function buildApp(
  server: Framework,
  { build, clock, page = twoAds }: VisibleSiteOptions,
  options: Options,
): App | Promise<App> {
  if (build) return build(options)
  if (!clock) return server.build([options], [{ optionsIndex: 0, target: 'app' }], page)
  const { methods, pageLoad, reply } = assembleTracker(options, { clock })
  const tracker: Tracker = {
    ...methods,
    pageLoad: (req, res) => pageLoad(req, res, req),
    reply: (req, body) => reply(req, req, body),
  }
  return createBareApp([tracker], page)
}

/** Finds the tokens in a page's HTML. */
export function findTokens(html: string): string[] {
  return [...html.matchAll(/data-ad-impression=([\w.-]+)/g)].map(([, token = '']) => token)
}
