import type { Clock } from '../../clock.js'
import { createImpression, type Impression } from '../../impression.js'

/** @returns the impression as JSON; `undefined` if JSON cannot represent its item */
export function serializeImpression(impression: Impression, clock: Clock): string | undefined {
  const { requestId, campaignId, placement, offerId, batchKey, item, attempts } = impression
  // Other processes have monotonic clocks of their own.
  const trackedAtMs = clock.wallNow() - (clock.now() - impression.trackedAtMs)
  try {
    return JSON.stringify({
      requestId,
      campaignId,
      placement,
      offerId,
      batchKey,
      item,
      trackedAtMs,
      attempts,
      isMaybeCounted: impression.isMaybeCounted,
    })
  } catch {
    return undefined
  }
}

/** @throws if `serializeImpression` has not written the payload */
export function parseImpression(payload: string, network: string, clock: Clock): Impression {
  const { requestId, trackedAtMs, attempts, isMaybeCounted, ...details } = JSON.parse(payload)
  const hasTypes =
    typeof requestId === 'string' &&
    /^(string|number)$/.test(typeof details.campaignId) &&
    typeof details.batchKey === 'string' &&
    [trackedAtMs, attempts].every(Number.isFinite)
  if (!hasTypes) throw new TypeError('not an impression')
  const ageMs = Math.max(0, clock.wallNow() - trackedAtMs)
  const impression = createImpression(network, requestId, details, clock.now() - ageMs)
  impression.attempts = attempts
  if (isMaybeCounted) impression.isMaybeCounted = true
  return impression
}
