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

const WITHHELD = 'what the network says is only in the log, because it may quote a search query'

/** The reason of an outcome without search queries. */
export function toShownReason(reason: Reason, querySource: QuerySource): string {
  const code = readReasonCode(reason)
  if (code === 'invalid-input') {
    return toOneLine(reason.replace(THROWN, '$1').replace(GIVEN, (_, value) => hideValue(value)))
  }
  const isHarmless = isAcceptedReason(reason) || FIXED_REASONS.has(reason)
  if (querySource === 'nothing' || isHarmless) return toOneLine(reason)
  if (querySource === 'verdict' || code.startsWith('http-')) return `${code}: ${WITHHELD}`
  return toOneLine(reason.replace(QUOTED_ANSWER, ''))
}

/** @param value what `describeValue` returned */
function hideValue(value: string): string {
  if (value.startsWith('"')) return ', got a string'
  return /^-?\d/.test(value) ? ', got a number' : `, got ${value}`
}
