import { addAddress } from './docs-address.js'

/** The codes with which reasons begin, beside `http-<status>`. docs/reasons.md has a section for each. */
export const REASON_CODES = [
  // duplicate
  'already-counted',
  'counted-elsewhere',
  // suppressed
  'bot',
  'prefetch',
  'method',
  'not-a-page',
  'no-consent',
  'aborted',
  'redirect',
  'server-error',
  // invalid
  'invalid-input',
  'invalid-report',
  'invalid-token',
  'expired-token',
  'early-token',
  'unreadable',
  // rejected
  'count-short',
  'gateway-refused',
  'unsendable',
  // uncertain; the first four are also reasons to send again
  'timeout',
  'reset',
  'no-answer',
  'unreachable',
  'sent-before',
  'process-died',
  'taken-over',
  'outbox-lost',
  // dropped
  'overflow',
  'expired',
  'closed',
  // only in health()
  'ok',
  'quota',
  'disabled',
] as const

/**
 * Stable, for programs: a code of the list in docs/reasons.md, or the status of the network's answer.
 */
export type ReasonCode = (typeof REASON_CODES)[number] | `http-${number}`

/** Why an impression has its outcome: a code, and a sentence that a person can act on. */
export type Reason = `${ReasonCode}: ${string}`

const CODE = new RegExp(`^(?:http-[1-5]\\d\\d|${REASON_CODES.join('|')}): `)

/** The text as a reason: with `code` in front, unless it begins with a code already. */
export function toReason(text: string, code: ReasonCode): Reason {
  return isReason(text) ? text : `${code}: ${text}`
}

function isReason(text: string): text is Reason {
  return CODE.test(text)
}

/** The code that a reason begins with. */
export function readReasonCode(reason: Reason): ReasonCode {
  return reason.slice(0, reason.indexOf(':')) as ReasonCode
}

/** The section of docs/reasons.md about a code. All statuses share one. */
export function findReasonSection(code: string): string {
  return code.startsWith('http-') ? 'http-status' : code
}

/** The reason as others see it: with the address of its section. */
export function addReasonAddress(reason: Reason): Reason {
  const section = findReasonSection(readReasonCode(reason))
  return addAddress(reason, 'reasons', section) as Reason
}

/** Why an impression was not a display and did not count. */
export type Suppression = keyof typeof SUPPRESSED

/** The reasons of suppressed impressions: what was seen, and what to do if it was a display. */
export const SUPPRESSED = formatReasons({
  bot:
    "the request looks like a bot's, as those of curl and headless browsers do; send a browser's " +
    'User-Agent, or set traffic.bots',
  prefetch:
    'the page was loaded before anyone asked for it, and may never be looked at; use whenVisible(), ' +
    'or set traffic.prefetch',
  method:
    'the response to this request method, such as HEAD or OPTIONS, is not displayed; request the ' +
    'page with GET',
  'not-a-page':
    'the request was for a part of the response, or for an image, a script or a style; track ' +
    'impressions where the page is rendered',
  'no-consent':
    'the option consent did not return true for this viewer; check it if the viewer has consented',
  aborted:
    'the connection closed before the response was complete, so the page was not displayed; check ' +
    'timeouts and proxies if it happens often',
  redirect:
    'the response redirects, so the page was not displayed; track impressions on the page that it ' +
    'leads to',
  'server-error':
    'the response has a status of 500 or more, and error pages do not count; fix the error',
})

/** Why an impression was dropped without being sent. */
export type Drop = keyof typeof DROPPED

/** The reasons of dropped impressions. */
export const DROPPED = formatReasons({
  overflow:
    'delivery.maxPending impressions are waiting already; find out from the log why the network ' +
    'accepts too few, or raise delivery.maxPending',
  expired:
    'it waited unsent for longer than delivery.maxAgeMs; find out from the log why the network ' +
    'accepts too few',
  closed: 'close() was called before it could be sent; give close() more time',
})

/** The reasons of impressions that were sent, may have counted, and were then dropped. */
export const DROPPED_AFTER_SENDING: Readonly<Record<Drop, Reason>> = {
  overflow: 'sent-before: it may have counted when it was sent before, and the outbox is full',
  expired: 'sent-before: it may have counted when it was sent before, and is now too old to resend',
  closed: 'sent-before: it may have counted when it was sent before, and close() was called',
}

/** Other reasons that are the same for every impression. */
export const REASONS = {
  alreadyCounted: 'already-counted: this campaign has already counted in this page load',
  countedElsewhere: 'counted-elsewhere: another process has counted it in this page load',
  trackedAfterClose: 'closed: it was tracked after close(); call close() after the last response',
  processDied: 'process-died: it may have counted: its process ended while its call was in flight',
  takenOver: 'taken-over: it may have counted: other processes took over while it was being stored',
  closedInDoubt:
    'closed: it may count: close() ended before the outbox had answered whether it has stored it',
  unreadable:
    'unreadable: the outbox had a record that cannot be read; do releases of other versions share it?',
  outboxLostData: 'outbox-lost: it may have counted: the outbox has lost its data',
  unstorable:
    'invalid-input: item: expected what JSON can represent, so that the outbox can store it',
  notCalledYet: 'ok: no call was needed yet',
  answering: 'ok: the network answers',
  quotaUsedUp: 'quota: the network allows no more calls for now, and impressions wait',
  trackerClosed: 'closed: close() was called, and nothing more is sent',
  disabled: 'disabled: the option enabled is false, and nothing is counted or sent',
  campaignOverflow:
    'overflow: this page load has too many campaigns; does requestId name each once?',
  tokenOverflow: 'overflow: too many visible impressions are remembered; raise dedupe.max',
} as const satisfies Record<string, Reason>

function formatReasons<Code extends ReasonCode>(
  sentences: Readonly<Record<Code, string>>,
): Readonly<{ [Key in Code]: `${Key}: ${string}` }> {
  return Object.fromEntries(
    Object.entries(sentences).map(([code, sentence]) => [code, `${code}: ${sentence}`]),
  ) as { [Key in Code]: `${Key}: ${string}` }
}
