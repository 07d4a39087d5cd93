import type { IncomingHttpHeaders } from 'node:http'
import { Base64Url, RestrictionType, type TCModel, TCString } from '@iabtechlabtcf/core'
import { parse } from 'cookie'

interface RequestWithHeaders {
  readonly headers: IncomingHttpHeaders
}

/**
 * Whether the browser sends the Global Privacy Control signal: its user objects to the sale and
 * sharing of data. See https://w3c.github.io/gpc/.
 */
export function hasOptedOut({ headers }: RequestWithHeaders): boolean {
  return headers['sec-gpc'] === '1'
}

// The purposes of the IAB's Transparency & Consent Framework that counting an impression needs.
const STORE_ON_DEVICE = 1
const MEASURE_ADVERTISING_PERFORMANCE = 7

/**
 * Whether the viewer has consented to measuring the performance of ads, and to storing data for it,
 * such as the page-load cookie. The site's consent banner stores the choice in a cookie, as the
 * IAB's TC string
 * (https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework).
 *
 * Required where the GDPR applies. A missing or broken string is no consent.
 *
 * @param vendor the ad network's id in the IAB's vendor list, if it has one
 */
export function hasConsented({ headers }: RequestWithHeaders, vendor?: number): boolean {
  const tcString = parse(headers.cookie ?? '')['euconsent-v2']
  const consent = tcString === undefined ? undefined : decodeTcString(tcString)
  if (!consent) return false
  const { purposeConsents } = consent
  return (
    purposeConsents.has(STORE_ON_DEVICE) &&
    purposeConsents.has(MEASURE_ADVERTISING_PERFORMANCE) &&
    (vendor === undefined || isVendorAllowed(consent, vendor))
  )
}

/** Since this policy version (TCF 2.3), a vendor needs to be disclosed by the banner. */
const FIRST_DISCLOSING_POLICY = 5

function isVendorAllowed(consent: TCModel, vendor: number): boolean {
  const { policyVersion, vendorConsents, vendorsDisclosed, publisherRestrictions } = consent
  const restriction = publisherRestrictions.getRestrictionType(
    vendor,
    MEASURE_ADVERTISING_PERFORMANCE,
  )
  return (
    vendorConsents.has(vendor) &&
    (Number(policyVersion) < FIRST_DISCLOSING_POLICY || vendorsDisclosed.has(vendor)) &&
    restriction !== RestrictionType.NOT_ALLOWED
  )
}

/** Browsers do not store longer cookies. */
const MAX_CHARACTERS = 4_096
/** The vendor list has about 1,500 ids, and a TC string has only a few ranges of them. */
const MAX_VENDORS = 10_000

function decodeTcString(tcString: string): TCModel | undefined {
  try {
    // The decoder visits every vendor of every range. Five hostile characters make a range of
    // 65,535 vendors, so decoding a cookie full of such ranges would take seconds.
    if (tcString.length > MAX_CHARACTERS || !(countVendors(tcString) <= MAX_VENDORS))
      return undefined
    return TCString.decode(tcString)
  } catch {
    return undefined
  }
}

/** Counts the vendors in all ranges of a TC string. @throws if it is not a TC string */
function countVendors(tcString: string): number {
  return tcString.split('.').reduce((sum, segment) => sum + countVendorsInSegment(segment), 0)
}

/** The length of the fields before the vendors in the core segment. */
const CORE_HEAD_BITS = 213
/** The length of the type at the start of every other segment. */
const TYPE_BITS = 3

function countVendorsInSegment(segment: string): number {
  const bits = Base64Url.decode(segment)
  const isCore = bits.startsWith('000010')
  const type = Number.parseInt(bits.slice(0, TYPE_BITS), 2)
  let position = isCore ? CORE_HEAD_BITS : TYPE_BITS
  let vendors = 0

  if (isCore) {
    readVector()
    readVector()
    for (let restrictions = readNumber(12); restrictions > 0; restrictions--) {
      position += 8
      readRanges()
    }
  } else if (type === 1 || type === 2) readVector()
  return vendors

  function readVector(): void {
    const last = readNumber(16)
    if (readNumber(1) === 1) readRanges()
    else position += last
  }

  function readRanges(): void {
    for (let entries = readNumber(12); entries > 0; entries--) {
      const isRange = readNumber(1) === 1
      const first = readNumber(16)
      vendors += isRange ? Math.max(0, readNumber(16) - first + 1) : 1
    }
  }

  function readNumber(width: number): number {
    if (position + width > bits.length) throw new RangeError('the TC string is incomplete')
    position += width
    return Number.parseInt(bits.slice(position - width, position), 2)
  }
}
