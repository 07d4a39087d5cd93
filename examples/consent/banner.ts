import { Segment, SegmentEncoder, TCModel } from '@iabtechlabtcf/core'

const ALL_PURPOSES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

/**
 * Builds the value of the cookie `euconsent-v2`. It stands in for a consent management platform,
 * which sets this cookie in the browser on a real site.
 */
export function buildTcString(
  purposes: readonly number[] = ALL_PURPOSES,
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
