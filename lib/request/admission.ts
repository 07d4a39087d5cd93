import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import type { Suppression } from '../impression.js'
import type { Log } from '../logger.js'
import { isBot, isSpeculative } from './traffic.js'

/** What to do with a kind of traffic that displays nothing to a person. */
export type TrafficRule = 'skip' | 'count'

/**
 * Says whether a request is a robot's.
 *
 * @param isKnownBot what isbot says of the User-Agent
 */
export type BotRule<Source> = (source: Source, isKnownBot: boolean) => boolean

export interface AdmissionOptions<Source> {
  readonly traffic: {
    readonly bots: TrafficRule | BotRule<Source>
    readonly prefetch: TrafficRule
  }
  readonly consent: ((source: Source) => boolean) | undefined
}

/** Whether a request displays anything that may be told. The user's functions are asked once. */
export class Admission<Source> {
  readonly #req: IncomingMessage
  readonly #source: Source
  readonly #options: AdmissionOptions<Source>
  readonly #log: Log
  readonly #isSpeculative: boolean
  #refusal: Suppression | 'none' | undefined

  constructor(req: IncomingMessage, source: Source, options: AdmissionOptions<Source>, log: Log) {
    this.#req = req
    this.#source = source
    this.#options = options
    this.#log = log
    this.#isSpeculative =
      options.traffic.prefetch === 'skip' && req.method !== 'HEAD' && isSpeculative(req.headers)
  }

  /** Why what is rendered is no display: it may be that nobody has asked for the page yet. */
  get suppressionWhenRendered(): Suppression | undefined {
    return this.#isSpeculative ? 'prefetch' : this.suppressionWhenSeen
  }

  /** Why nothing of it is to be told, even once it is seen. */
  get suppressionWhenSeen(): Suppression | undefined {
    this.#refusal ??=
      requestSuppression(this.#req, this.#source, this.#options, this.#log) ?? 'none'
    return this.#refusal === 'none' ? undefined : this.#refusal
  }
}

/** Why what a request asks for is displayed to nobody who may be told of, whenever it is. */
export function requestSuppression<Source>(
  req: IncomingMessage,
  source: Source,
  { traffic, consent }: AdmissionOptions<Source>,
  log: Log,
): Suppression | undefined {
  if (req.method === 'HEAD') return 'head'
  if (isSkippedBot(req, source, traffic.bots, log)) return 'bot'
  if (!consent) return undefined
  const answer = callOption('consent', consent, source, log)
  if (answer !== FAILED && typeof answer !== 'boolean') {
    log.error('option consent', 'the option consent: expected true or false; taken for a no')
  }
  return answer === true ? undefined : 'no-consent'
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
  const answer = callOption('traffic.bots', (asked: Source) => rule(asked, isKnownBot), source, log)
  if (typeof answer === 'boolean') return answer
  if (answer !== FAILED) {
    log.error(
      'option traffic.bots',
      'the option traffic.bots: expected true or false; the list of known robots decides',
    )
  }
  return isKnownBot
}
