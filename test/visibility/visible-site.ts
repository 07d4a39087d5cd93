import type { Clock } from '../../lib/clock.js'
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
import { type Answer, ask } from './ask.js'

/** All that answers for the browser's half. */
export const SERVERS: readonly Framework[] = [...FRAMEWORKS, bareFrameworkOnHttp2]

export const SECRET = 'a-secret-of-this-test-0123456789-abcdef'

/** What a page of the site's own sends its reports with. */
export const FROM_OWN_PAGE = {
  'content-type': 'text/plain;charset=UTF-8',
  'sec-fetch-site': 'same-origin',
}

/** An ad of each network, and the browser's half. */
export const twoAds: FrameworkPage = ({ trackImpression: { whenVisible, script }, answer }) => {
  answer(`<p ${whenVisible(ensAd())}>1<p ${whenVisible(closientAd())}>2${script()}`)
}

/** The ads whose numbers are in the path: `/1/2` has the campaigns 1 and 2 of ENS. */
export const adsByPath: FrameworkPage = ({ trackImpression, req, answer }) => {
  const numbers = (req.url ?? '').match(/\d+/g) ?? []
  answer(numbers.map((n) => `<p ${trackImpression.whenVisible(ensAd(Number(n)))}>`).join('\n'))
}

type Options = TrackerOptions<unknown>

interface Start {
  /** @default the bare server */
  readonly server?: Framework
  /** @default `twoAds` */
  readonly page?: FrameworkPage
  readonly options?: Options
  /** @default both, as the sandbox has them */
  readonly networks?: (sandbox: Sandbox) => readonly Network[]
  /** The bare server's clock. */
  readonly clock?: Clock
  /** Builds an app of its own, in the place of `server`. */
  readonly build?: (options: Options) => App
}

/** A site whose ads count once they are seen, on a real socket, and the networks that it tells. */
export class VisibleSite extends OutcomeRecorder implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: TrackerMethods
  /** What was logged. */
  readonly lines: readonly string[]
  readonly #served: RunningServer
  readonly #protocol: Framework['protocol']

  private constructor(
    sandbox: Sandbox,
    tracker: TrackerMethods,
    lines: readonly string[],
    served: RunningServer,
    protocol: Framework['protocol'],
  ) {
    super(tracker)
    this.sandbox = sandbox
    this.tracker = tracker
    this.lines = lines
    this.#served = served
    this.#protocol = protocol
  }

  static async start(start: Start = {}): Promise<VisibleSite> {
    const { server = bareFramework, page = twoAds, networks = createNetworks } = start
    const sandbox = await startSandbox()
    const lines: string[] = []
    const options: Options = {
      networks: networks(sandbox),
      logger: createMemoryLogger(lines),
      visibility: { secret: SECRET },
      ...start.options,
    }
    const app = appOf(options)
    const served = await startServer(server.protocol, app)
    return new VisibleSite(sandbox, getItem(app.trackers, 0), lines, served, server.protocol)

    function appOf(its: Options): App {
      if (start.build) return start.build(its)
      if (!start.clock) return server.build([its], [{ optionsIndex: 0, target: 'app' }], page)
      const { methods, pageLoad, reply } = assembleTracker(its, { clock: start.clock })
      const tracker: Tracker = {
        ...methods,
        pageLoad: (req, res) => pageLoad(req, res, req),
        reply: (req, body) => reply(req, req, body),
      }
      return createBareApp([tracker], page)
    }
  }

  get port(): number {
    return this.#served.port
  }

  /** Asks as a browser does. */
  ask(path = '/', headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
    return ask(this.#protocol, this.port, {
      path,
      method,
      headers: { ...BROWSER_HEADERS, ...headers },
    })
  }

  /** The tokens of a page. */
  async tokens(path?: string, headers?: Readonly<Record<string, string>>): Promise<string[]> {
    return tokensIn((await this.ask(path, headers)).text)
  }

  /** Sends a report: tokens, or any body; as a page of the site's own does, or with other headers. */
  report(
    report: readonly string[] | string | Buffer,
    headers: Readonly<Record<string, string>> = FROM_OWN_PAGE,
    path = '/_visible',
  ): Promise<Answer> {
    const body = Array.isArray(report) ? JSON.stringify(report) : report.toString()
    return ask(this.#protocol, this.port, {
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
  }
}

/** The tokens in a page's markup. */
export function tokensIn(html: string): string[] {
  return [...html.matchAll(/data-ad-impression=([\w.-]+)/g)].map(([, token = '']) => token)
}
