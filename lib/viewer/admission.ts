import type { IncomingMessage } from 'node:http'
import type { Suppression } from '../impression.js'
import type { Log } from '../logger.js'
import { ask, NO_ANSWER } from './ask.js'
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

/** Why a request displays nothing yet: nobody has asked for the page. */
export function speculationOf<Source>(
  { method, headers }: IncomingMessage,
  { traffic }: AdmissionOptions<Source>,
): Suppression | undefined {
  const isSkipped = traffic.prefetch === 'skip' && method !== 'HEAD' && isSpeculative(headers)
  return isSkipped ? 'prefetch' : undefined
}

/** Why what a request asks for is displayed to nobody who may be told of, whenever it is. */
export function refusalOf<Source>(
  req: IncomingMessage,
  source: Source,
  { traffic, consent }: AdmissionOptions<Source>,
  log: Log,
): Suppression | undefined {
  if (req.method === 'HEAD') return 'head'
  if (isSkippedBot(req, source, traffic.bots, log)) return 'bot'
  if (!consent) return undefined
  const answer = ask('consent', consent, source, log)
  if (answer !== NO_ANSWER && typeof answer !== 'boolean') {
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
  const answer = ask('traffic.bots', (asked: Source) => rule(asked, isKnownBot), source, log)
  if (typeof answer === 'boolean') return answer
  if (answer !== NO_ANSWER) {
    log.error(
      'option traffic.bots',
      'the option traffic.bots: expected true or false; the list of known robots decides',
    )
  }
  return isKnownBot
}
