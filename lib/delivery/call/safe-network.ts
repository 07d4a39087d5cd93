import { toOneLine } from '../../errors.js'
import type { Impression } from '../../impression.js'
import type { Log } from '../../logger.js'
import type { Network, NetworkRequest } from '../../networks/network.js'
import {
  type Answer,
  type Verdict,
  verdictOnError,
  verdictOnStatus,
} from '../../networks/verdict.js'
import { redact } from './redact.js'
import type { CallEnd } from './transport.js'

/**
 * The request that carries these impressions.
 *
 * @throws an error fit for the log if a network of the user's own throws, or returns no request
 */
export function buildRequest(network: Network, impressions: readonly Impression[]): NetworkRequest {
  let request: Partial<NetworkRequest> | undefined
  try {
    request = network.request(impressions.map(({ item }) => item))
  } catch {
    // Such as Node's own of a header that cannot be sent: it quotes the header.
    throw new Error('it threw, and what it said is withheld: it may quote the key')
  }
  const { method, path, headers, body } = request ?? {}
  if (typeof method !== 'string' || typeof path !== 'string' || typeof body !== 'string') {
    throw new TypeError('expected { method, path, headers, body }')
  }
  const isText = (value: unknown) => typeof value === 'string'
  if (typeof headers !== 'object' || !Object.values(headers).every(isText)) {
    throw new TypeError('expected headers by name, each a string')
  }
  return { method, path, headers, body }
}

const STATUS_ALONE = /^HTTP \d{3}$/

/** What a call came to, by the network's own words where it has any, without the request's secrets. */
export function judgeCall(
  network: Network,
  end: CallEnd,
  { headers }: NetworkRequest,
  log: Log,
): Verdict {
  const verdict =
    'error' in end ? verdictOnError(end.error, end.sent) : judgeAnswer(network, end.answer, log)
  // Nothing in it is the network's own word: to clean it all the same took 1.5 µs a call.
  if (STATUS_ALONE.test(verdict.reason)) return verdict
  return { ...verdict, reason: toOneLine(redact(verdict.reason, headers)) }
}

/** The network's verdict, or that of RFC 9110 where a network of the user's own has none. */
function judgeAnswer(network: Network, answer: Answer, log: Log): Verdict {
  const { name } = network
  try {
    const verdict = sanitizeVerdict(network.verdict(answer))
    if (verdict) return verdict
    log.error(`verdict ${name}`, `${name}: verdict() returned no verdict: the status alone tells`)
  } catch {
    // What it says is withheld: a parser's error quotes a piece of what it cannot parse, which may
    // be an answer that echoes the key.
    log.error(`verdict ${name}`, `${name}: verdict() threw: the status alone tells`)
  }
  return verdictOnStatus(answer, undefined)
}

/** The verdict without figures that make no sense; `undefined` where it is none. */
function sanitizeVerdict(verdict: Partial<Verdict> | undefined): Verdict | undefined {
  const { kind, reason: said } = verdict ?? {}
  const reason = typeof said === 'string' ? said : 'the network gave no reason'
  switch (kind) {
    case 'delivered': {
      const count = natural(verdict, 'count')
      return count === undefined ? { kind, reason } : { kind, reason, count }
    }
    case 'retry': {
      const retryAfterMs = natural(verdict, 'retryAfterMs')
      return retryAfterMs === undefined ? { kind, reason } : { kind, reason, retryAfterMs }
    }
    case 'rejected':
    case 'split':
    case 'misconfigured':
    case 'uncertain':
      return { kind, reason }
    default:
      return undefined
  }
}

function natural(verdict: object | undefined, field: 'count' | 'retryAfterMs'): number | undefined {
  const value: unknown = verdict && Reflect.get(verdict, field)
  return typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER
    ? Math.round(value)
    : undefined
}
