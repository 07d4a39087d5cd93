import { toOneLine } from '../../errors.js'
import { isAcceptedReason } from '../../networks/verdict.js'
import { type Reason, readReasonCode } from '../../reason.js'

/** The end of an error message about an input: the value may be a search query. */
const GIVEN = /, got (.*)$/s
/** What an error that a page or a custom network threw says. */
const THROWN = /(that can be read) \(.*\)/s
/** Where some of our own sentences quote the answer of the network. */
const QUOTED_ANSWER = / \(http-\d.*$/s

const WITHHELD = 'what the network says is only in the log, because it may quote a search query'

/**
 * The reason of an outcome without search queries.
 *
 * @param mayQuoteQuery whether calls to the network may carry search queries. Its answer may then
 *   quote one, also that of another impression in the same call.
 */
export function toShownReason(reason: Reason, mayQuoteQuery: boolean): string {
  const code = readReasonCode(reason)
  if (code === 'invalid-input') {
    return toOneLine(reason.replace(THROWN, '$1').replace(GIVEN, (_, value) => hideValue(value)))
  }
  if (!mayQuoteQuery || isAcceptedReason(reason)) return toOneLine(reason)
  if (code.startsWith('http-')) return `${code}: ${WITHHELD}`
  return toOneLine(reason.replace(QUOTED_ANSWER, ''))
}

/** @param value what `describeValue` returned */
function hideValue(value: string): string {
  if (value.startsWith('"')) return ', got a string'
  return /^-?\d/.test(value) ? ', got a number' : `, got ${value}`
}
