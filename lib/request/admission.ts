import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import type { Log } from '../logger.js'
import type { Suppression } from '../reason.js'
import {
  isBot,
  isDisplayMethod,
  isPartialRequest,
  isSpeculative,
  isSubresource,
} from './traffic.js'

/** What to do with a kind of traffic that displays nothing to a person. */
export type TrafficRule = 'skip' | 'count'

/**
 * Decides whether a request comes from a bot.
 *
 * @param isKnownBot whether isbot recognizes the User-Agent
 */
export type BotRule<Source> = (source: Source, isKnownBot: boolean) => boolean

export interface AdmissionOptions<Source> {
  readonly traffic: {
    readonly bots: TrafficRule | BotRule<Source>
    readonly prefetch: TrafficRule
  }
  readonly consent: ((source: Source) => boolean) | undefined
}

/** Whether what one request displays may count. The user's functions are called at most once. */
export class Admission<Source> {
  readonly #req: IncomingMessage
  readonly #source: Source
  readonly #options: AdmissionOptions<Source>
  readonly #log: Log
  readonly #isSkippedPrefetch: boolean
  /** Whether the request counts only if the response turns out not to be HTML. */
  readonly isSubresource: boolean
  /** `'none'` once it is known that there is no reason to suppress. */
  #suppression: Suppression | 'none' | undefined

  constructor(req: IncomingMessage, source: Source, options: AdmissionOptions<Source>, log: Log) {
    this.#req = req
    this.#source = source
    this.#options = options
    this.#log = log
    this.#isSkippedPrefetch =
      options.traffic.prefetch === 'skip' &&
      isDisplayMethod(req.method) &&
      isSpeculative(req.headers)
    this.isSubresource = isSubresource(req.headers)
  }

  /** Why an ad does not count when it is rendered. Nobody may ever look at a prefetched page. */
  get suppressionWhenRendered(): Suppression | undefined {
    return this.#isSkippedPrefetch ? 'prefetch' : this.suppressionWhenSeen
  }

  /** Why an ad does not count even when the viewer sees it. */
  get suppressionWhenSeen(): Suppression | undefined {
    this.#suppression ??=
      requestSuppression(this.#req, this.#source, this.#options, this.#log) ?? 'none'
    return this.#suppression === 'none' ? undefined : this.#suppression
  }
}

/** The reason to suppress that the request alone gives; `undefined` if it may count. */
export function requestSuppression<Source>(
  req: IncomingMessage,
  source: Source,
  { traffic, consent }: AdmissionOptions<Source>,
  log: Log,
): Suppression | undefined {
  if (!isDisplayMethod(req.method)) return 'method'
  if (isPartialRequest(req.headers)) return 'not-a-page'
  if (isSkippedBot(req, source, traffic.bots, log)) return 'bot'
  if (!consent) return undefined
  const hasConsent = callOption('consent', consent, source, log)
  if (hasConsent !== FAILED && typeof hasConsent !== 'boolean') {
    log.error(
      'option-failed consent',
      'the option consent: expected true or false; treated as no consent',
    )
  }
  return hasConsent === true ? undefined : 'no-consent'
}

function isSkippedBot<Source>(
  { headers }: IncomingMessage,
  source: Source,
  rule: TrafficRule | BotRule<Source>,
  log: Log,
): boolean {
  if (rule === 'count') return false
  const isKnownBot = isBot(headers)
  if (rule === 'skip') return isKnownBot
  const applyRule = (request: Source) => rule(request, isKnownBot)
  const isBotByRule = callOption('traffic.bots', applyRule, source, log)
  if (typeof isBotByRule === 'boolean') return isBotByRule
  if (isBotByRule !== FAILED) {
    log.error(
      'option-failed traffic.bots',
      'the option traffic.bots: expected true or false; the list of known bots is used instead',
    )
  }
  return isKnownBot
}
