import { toOneLine } from '../../errors.js'
import type { Impression } from '../../impression.js'
import type { Log } from '../../logger.js'
import type { Network, NetworkRequest } from '../../networks/network.js'
import {
  type Answer,
  isAcceptedReason,
  type Verdict,
  verdictOnError,
  verdictOnStatus,
} from '../../networks/verdict.js'
import { type Reason, toReason } from '../../reason.js'
import { redact } from './redact.js'
import type { CallEnd } from './transport.js'

/**
 * The request that carries these impressions.
 *
 * @throws an error that is safe to log, if a custom network throws or returns no request
 */
export function buildRequest(network: Network, impressions: readonly Impression[]): NetworkRequest {
  let request: Partial<NetworkRequest> | undefined
  try {
    request = network.request(impressions.map(({ item }) => item))
  } catch {
    // Node's own error about an invalid header, for example, quotes the header.
    throw new Error('it threw, and its message is withheld: it may quote the key')
  }
  const { method, path, headers, body, secrets } = request ?? {}
  if (typeof method !== 'string' || typeof path !== 'string' || typeof body !== 'string') {
    throw new TypeError('expected { method, path, headers, body }')
  }
  const isText = (value: unknown) => typeof value === 'string'
  if (typeof headers !== 'object' || !Object.values(headers).every(isText)) {
    throw new TypeError('expected headers by name, each a string')
  }
  return { method, path, headers, body, secrets }
}

/** A verdict whose reason is one line, begins with a code and has no secret. */
export type JudgedVerdict = Verdict & { readonly reason: Reason }

/** What a call means. */
export function judgeCall(
  network: Network,
  end: CallEnd,
  { headers, secrets }: NetworkRequest,
  log: Log,
): JudgedVerdict {
  const verdict =
    'error' in end ? verdictOnError(end.error, end.sent) : judgeAnswer(network, end.answer, log)
  const unreadable = 'error' in end ? undefined : end.unreadable
  if (unreadable === undefined && isAccepted(verdict)) return verdict
  const code = 'error' in end ? 'no-answer' : (`http-${end.answer.status}` as const)
  const clean = (text: string) => toOneLine(text, (line) => redact(line, headers, secrets))
  const reason = toReason(clean(verdict.reason) || 'the network gave no reason', code)
  if (unreadable === undefined) return { ...verdict, reason }
  const problem = `the body of the answer cannot be read: ${clean(unreadable)}`
  log.warn(`unreadable-answer ${network.name}`, `${network.name}: ${problem}; its status decides`)
  return { ...verdict, reason: `${reason} (${problem})` }
}

/** Most calls are accepted, and then the reason has no text of the network's own to clean. */
function isAccepted(verdict: Verdict): verdict is JudgedVerdict {
  return isAcceptedReason(verdict.reason)
}

/** The network's verdict, or RFC 9110's if a custom network throws or returns none. */
function judgeAnswer(network: Network, answer: Answer, log: Log): Verdict {
  const { name } = network
  try {
    const verdict = sanitizeVerdict(network.verdict(answer))
    if (verdict) return verdict
    log.error(
      `verdict-failed ${name}`,
      `${name}: verdict() returned no verdict: the status decides`,
    )
  } catch {
    // The error is withheld: a parser's error may quote an answer that echoes the key.
    log.error(`verdict-failed ${name}`, `${name}: verdict() threw: the status decides`)
  }
  return verdictOnStatus(answer, undefined)
}

/** The verdict without numbers that make no sense; `undefined` if it is not a verdict. */
function sanitizeVerdict(verdict: Partial<Verdict> | undefined): Verdict | undefined {
  const { kind, reason: given } = verdict ?? {}
  const reason = typeof given === 'string' ? given : ''
  switch (kind) {
    case 'delivered': {
      const count = readNatural(verdict, 'count')
      return count === undefined ? { kind, reason } : { kind, reason, count }
    }
    case 'retry': {
      const retryAfterMs = readNatural(verdict, 'retryAfterMs')
      return retryAfterMs === undefined ? { kind, reason } : { kind, reason, retryAfterMs }
    }
    case 'rejected':
    case 'split':
    case 'suspect':
    case 'misconfigured':
    case 'uncertain':
      return { kind, reason }
    default:
      return undefined
  }
}

function readNatural(
  verdict: object | undefined,
  field: 'count' | 'retryAfterMs',
): number | undefined {
  const value: unknown = verdict && Reflect.get(verdict, field)
  return typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER
    ? Math.round(value)
    : undefined
}
