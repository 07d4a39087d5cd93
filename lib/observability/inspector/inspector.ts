import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { callOption, FAILED } from '../../check-options.js'
import type { Clock } from '../../clock.js'
import type { ImpressionWatcher, Stats } from '../../counting/statistics.js'
import type { Impression, Outcome, OutcomeSubject } from '../../impression.js'
import type { Log } from '../../logger.js'
import type { Reason } from '../../reason.js'
import type { Reply } from '../../request/reply.js'
import type { Health, NetworkHealth } from '../health.js'
import { OutcomeCounts } from './outcome-counts.js'
import { PAGE_REPLY, SECURITY_HEADERS } from './page.js'
import { PageLoads } from './page-loads.js'
import { type QuerySource, toShownReason } from './shown-reason.js'

/**
 * The option `inspector`.
 *
 * @inline
 */
export type InspectorOption<Source> =
  | boolean
  | {
      /** Returns whether this request may see the page. Anything but `true` means no. */
      allow: (source: Source) => boolean
    }

export interface InspectorDependencies<Source> {
  readonly option: Exclude<InspectorOption<Source>, false>
  /**
   * The path of the page. The query `?data` gets its data, so that an app that protects the path
   * protects both.
   */
  readonly path: string
  readonly querySourceFor: (network: string) => QuerySource
  readonly clock: Pick<Clock, 'now' | 'wallNow'>
  readonly log: Log
}

/** Where the page's current figures come from. */
interface Sources {
  readonly stats: () => Stats
  readonly health: () => Health
}

/** Records what became of the latest impressions, and serves a page that shows it. */
export class Inspector<Source> implements ImpressionWatcher {
  readonly #dependencies: InspectorDependencies<Source>
  readonly #pageLoads: PageLoads
  readonly #counts: OutcomeCounts
  #requests = 0

  constructor(dependencies: InspectorDependencies<Source>) {
    const { clock, querySourceFor } = dependencies
    const { now, wallNow } = clock
    this.#dependencies = dependencies
    this.#pageLoads = new PageLoads({ now, wallNow, querySourceFor })
    this.#counts = new OutcomeCounts(now)
  }

  get path(): string {
    return this.#dependencies.path
  }

  /** A request has reached the middleware. In Fastify, those of the inspector itself do as well. */
  onRequest({ url = '' }: IncomingMessage): void {
    if (!url.startsWith(this.path)) this.#requests += 1
  }

  /** A page has an ad that counts once its browser reports it. */
  onIssued(impression: Impression): void {
    ignoreErrors(() => this.#pageLoads.onIssued(impression))
  }

  onWaiting(impression: Impression): void {
    ignoreErrors(() => this.#pageLoads.onWaiting(impression))
  }

  onConcluded(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    ignoreErrors(() => {
      this.#counts.add(outcome)
      this.#pageLoads.onConcluded(subject, outcome, reason)
    })
  }

  /**
   * @returns `undefined` if the request is not for the page or its data, or not allowed to see them:
   *   then it goes on as if there were no inspector
   */
  reply(req: IncomingMessage, source: Source, sources: Sources): Promise<Reply> | undefined {
    const { url = '', method, headers } = req
    const { path } = this.#dependencies
    if (!url.startsWith(path) || (method !== 'GET' && method !== 'HEAD')) return undefined
    const [rest, query] = url.slice(path.length).split('?', 2)
    if (rest !== '' || !this.#isAllowed(headers, source)) return undefined
    if (query !== 'data') return Promise.resolve(PAGE_REPLY)
    // Even where the app lets pages of other sites read its responses.
    return isFromOtherSite(headers['sec-fetch-site'])
      ? undefined
      : Promise.resolve(this.#replyWithData(sources))
  }

  #isAllowed(headers: IncomingHttpHeaders, source: Source): boolean {
    const { option, log } = this.#dependencies
    if (option !== true) return this.#isAllowedBy(option.allow, source)
    if (hasLocalHost(headers)) return true
    const message =
      'the inspector is refused under this host name: open it at localhost or an IP address, or set ' +
      'inspector.allow'
    log.warn('inspector-refused', message)
    return false
  }

  /** Anything but `true` means no. */
  #isAllowedBy(allow: (source: Source) => boolean, source: Source): boolean {
    const { log } = this.#dependencies
    const answer = callOption('inspector.allow', allow, source, log)
    if (typeof answer !== 'boolean' && answer !== FAILED) {
      const message = 'the option inspector.allow: expected true or false; the inspector is refused'
      log.warn('option-failed inspector.allow', message)
    }
    return answer === true
  }

  #replyWithData({ stats, health }: Sources): Reply {
    const { clock, querySourceFor } = this.#dependencies
    const states = health()
    const networks = Object.entries(stats()).map(([name, figures]) => {
      const state = states[name]
      return { name, figures, ...(state && describeHealth(state, querySourceFor(name))) }
    })
    const data = {
      nowMs: clock.wallNow(),
      requests: this.#requests,
      networks,
      ...this.#counts.read(),
      pageLoads: this.#pageLoads.list(),
    }
    const body = Buffer.from(JSON.stringify(data))
    const headers = { ...SECURITY_HEADERS, 'content-type': 'application/json; charset=utf-8' }
    return { status: 200, headers, body }
  }
}

/** The reason may be that of the latest call. */
function describeHealth(health: NetworkHealth, querySource: QuerySource) {
  return { ...health, reason: toShownReason(health.reason, querySource, false) }
}

/**
 * Whether the request names the server by an IP address or as localhost. Any other name may be one
 * that the page of another site has made resolve to this machine, to read its data (DNS rebinding).
 */
function hasLocalHost({ host, ':authority': authority }: IncomingHttpHeaders): boolean {
  const name = String(host ?? authority ?? '')
    .replace(/:\d+$/, '')
    .toLowerCase()
  return /^(.+\.)?localhost$/.test(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}

function isFromOtherSite(site: string | undefined): boolean {
  return site === 'cross-site' || site === 'same-site'
}

/** The inspector never breaks a page or a delivery, not even when the stack overflows. */
function ignoreErrors(record: () => void): void {
  try {
    record()
  } catch {
    // What was to be recorded is missing from the page.
  }
}
