import { isIP } from 'node:net'
import { toOneLine } from '../../errors.js'
import { isAcceptedReason } from '../../networks/verdict.js'
import {
  DROPPED,
  DROPPED_AFTER_SENDING,
  REASONS,
  type Reason,
  readReasonCode,
  SUPPRESSED,
} from '../../reason.js'

/** The end of an error message about an input: the value may be a search query. */
const GIVEN = /, got (.*)$/s
/** What an error that a page or a custom network threw says. */
const THROWN = /(that can be read) \(.*\)/s
/** Where some of our own sentences quote the answer of the network. */
const QUOTED_ANSWER = / \(http-\d.*$/s
/** An IPv4 address, with its port if it has one. */
const IPV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)(?::\d+)?/g
/** What may be an IPv6 address. */
const IPV6 = /(?<![\w:])[\da-f]{0,4}:[\da-f:.]*[\da-f:](?!\w)/gi

/** Those that are the same for every impression. */
const FIXED_REASONS: ReadonlySet<string> = new Set(
  [SUPPRESSED, DROPPED, DROPPED_AFTER_SENDING, REASONS].flatMap((reasons) =>
    Object.values(reasons),
  ),
)

/**
 * What may quote a search query: nothing, because calls to the network carry none; what the network
 * answers; or all that its `verdict()` says, under whatever code. A call may carry several impressions,
 * so it may be the query of another one.
 */
export type QuerySource = 'nothing' | 'answer' | 'verdict'

const HIDDEN_ADDRESS = 'an IP address'
const WITHHELD = 'what the network says is only in the log, because it may quote a search query'

/**
 * The reason without search queries and IP addresses.
 *
 * @param isOfInput whether it says what is wrong with an input, and not how a call ended
 */
export function toShownReason(
  reason: Reason,
  querySource: QuerySource,
  isOfInput: boolean,
): string {
  if (isAcceptedReason(reason) || FIXED_REASONS.has(reason)) return reason
  const text = isOfInput ? hideValues(reason) : hideAnswer(reason, querySource)
  return toOneLine(hideAddresses(text))
}

function hideValues(reason: Reason): string {
  return reason.replace(THROWN, '$1').replace(GIVEN, (_, value) => hideValue(value))
}

function hideAnswer(reason: Reason, querySource: QuerySource): string {
  if (querySource === 'nothing') return reason
  const code = readReasonCode(reason)
  if (querySource === 'verdict' || code.startsWith('http-')) return `${code}: ${WITHHELD}`
  return reason.replace(QUOTED_ANSWER, '')
}

/** Those of a network and of a proxy, which errors of connections quote with their ports. */
function hideAddresses(text: string): string {
  return text
    .replace(IPV4, HIDDEN_ADDRESS)
    .replace(IPV6, (address) => (isIP(address) ? HIDDEN_ADDRESS : address))
}

/** @param value what `describeValue` returned */
function hideValue(value: string): string {
  if (value.startsWith('"')) return ', got a string'
  return /^-?\d/.test(value) ? ', got a number' : `, got ${value}`
}
