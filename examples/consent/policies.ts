import type { IncomingHttpHeaders } from 'node:http'
import { Base64Url, RestrictionType, type TCModel, TCString } from '@iabtechlabtcf/core'
import { parse } from 'cookie'

interface Visit {
  readonly headers: IncomingHttpHeaders
}

/**
 * Global Privacy Control: the browser says that its user objects to the sale and sharing of data.
 * See https://w3c.github.io/gpc/.
 */
export function objects({ headers }: Visit): boolean {
  return headers['sec-gpc'] === '1'
}

/** Of the purposes of the IAB's Transparency & Consent Framework, those that a count needs. */
const STORE_ON_DEVICE = 1
const MEASURE_ADVERTISING_PERFORMANCE = 7

/**
 * What the viewer told the site's consent banner, which keeps it in a cookie as the IAB's TC string
 * (https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework): whether
 * the performance of ads may be measured, and things be stored for it, such as the page-load cookie.
 *
 * A site needs it where the GDPR applies. No string, or a broken one, is no consent.
 *
 * @param vendor the ad network's number in the IAB's list of vendors, where it has one
 */
export function hasConsented({ headers }: Visit, vendor?: number): boolean {
  const tcString = parse(headers.cookie ?? '')['euconsent-v2']
  const consent = tcString === undefined ? undefined : decode(tcString)
  if (!consent) return false
  const { purposeConsents } = consent
  return (
    purposeConsents.has(STORE_ON_DEVICE) &&
    purposeConsents.has(MEASURE_ADVERTISING_PERFORMANCE) &&
    (vendor === undefined || isVendorAllowed(consent, vendor))
  )
}

/** From this policy on (TCF 2.3), a vendor counts only if the banner has named it. */
const DISCLOSING_POLICY = 5

function isVendorAllowed(consent: TCModel, vendor: number): boolean {
  const { policyVersion, vendorConsents, vendorsDisclosed, publisherRestrictions } = consent
  const restriction = publisherRestrictions.getRestrictionType(
    vendor,
    MEASURE_ADVERTISING_PERFORMANCE,
  )
  return (
    vendorConsents.has(vendor) &&
    (Number(policyVersion) < DISCLOSING_POLICY || vendorsDisclosed.has(vendor)) &&
    restriction !== RestrictionType.NOT_ALLOWED
  )
}

/** Browsers keep no longer a cookie. */
const MAX_CHARACTERS = 4_096
/** The list of vendors has some 1,500 numbers, and a string has a handful of ranges of them. */
const MAX_VENDORS = 10_000

function decode(tcString: string): TCModel | undefined {
  try {
    // The decoder walks through every vendor of every range. Five characters of an enemy's make a
    // range of 65,535 vendors and cost it 10 ms, so that a whole cookie of them would cost seconds.
    if (tcString.length > MAX_CHARACTERS || !(vendorsIn(tcString) <= MAX_VENDORS)) return undefined
    return TCString.decode(tcString)
  } catch {
    return undefined
  }
}

/** How many vendors the ranges of a TC string spell out. @throws if it is no TC string */
function vendorsIn(tcString: string): number {
  return tcString.split('.').reduce((sum, segment) => sum + vendorsInSegment(segment), 0)
}

/** Bits of the core segment before its vendors, and of any other segment: its type. */
const CORE_HEAD_BITS = 213
const TYPE_BITS = 3

function vendorsInSegment(segment: string): number {
  const bits = Base64Url.decode(segment)
  const isCore = bits.startsWith('000010')
  const type = Number.parseInt(bits.slice(0, TYPE_BITS), 2)
  let at = isCore ? CORE_HEAD_BITS : TYPE_BITS
  let vendors = 0

  if (isCore) {
    readVector()
    readVector()
    for (let restrictions = read(12); restrictions > 0; restrictions--) {
      at += 8
      readRanges()
    }
  } else if (type === 1 || type === 2) readVector()
  return vendors

  function readVector(): void {
    const last = read(16)
    if (read(1) === 1) readRanges()
    else at += last
  }

  function readRanges(): void {
    for (let entries = read(12); entries > 0; entries--) {
      const isRange = read(1) === 1
      const first = read(16)
      vendors += isRange ? Math.max(0, read(16) - first + 1) : 1
    }
  }

  function read(width: number): number {
    if (at + width > bits.length) throw new RangeError('the TC string breaks off')
    at += width
    return Number.parseInt(bits.slice(at - width, at), 2)
  }
}
