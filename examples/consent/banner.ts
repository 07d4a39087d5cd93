import { Segment, SegmentEncoder, TCModel } from '@iabtechlabtcf/core'

const EVERY_PURPOSE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

/**
 * What a consent banner leaves in the cookie `euconsent-v2`. On a real site a consent management
 * platform does this in the browser; here it stands in for one.
 */
export function tcString(
  purposes: readonly number[] = EVERY_PURPOSE,
  vendors: readonly number[] = [],
): string {
  const consent = new TCModel()
  consent.cmpId = 10
  consent.cmpVersion = 1
  consent.consentLanguage = 'EN'
  consent.publisherCountryCode = 'DE'
  consent.vendorListVersion = 1
  consent.purposeConsents.set([...purposes])
  if (vendors.length > 0) {
    consent.vendorConsents.set([...vendors])
    consent.vendorsDisclosed.set([...vendors])
  }
  return [Segment.CORE, Segment.VENDORS_DISCLOSED]
    .map((segment) => SegmentEncoder.encode(consent, segment))
    .join('.')
}
