import assert from 'node:assert/strict'
import {
  Base64Url,
  PurposeRestriction,
  RestrictionType,
  Segment,
  SegmentEncoder,
  TCString,
} from '@iabtechlabtcf/core'
import fc from 'fast-check'
import { buildTcString } from '../../examples/consent/banner.js'
import { hasConsented, hasOptedOut } from '../../examples/consent/policies.js'
import { AdSite, FRAMEWORKS, NAVIGATION_HEADERS } from '../request/ad-site.js'

const VENDOR = 700

const buildRequest = (value: string) => ({
  headers: { cookie: `theme=dark; euconsent-v2=${value}; a=b` },
})

describe('The policies of the example consent', () => {
  describe('hasOptedOut()', () => {
    it('is true only for the value 1', () => {
      assert.equal(hasOptedOut({ headers: { 'sec-gpc': '1' } }), true)
      for (const headers of [{}, { 'sec-gpc': '0' }, { 'sec-gpc': ['1', '1'] }, { 'sec-gpc': '' }])
        assert.equal(hasOptedOut({ headers }), false)
    })
  })

  describe('hasConsented()', () => {
    it('requires the purposes 1 and 7', () => {
      assert.equal(hasConsented(buildRequest(buildTcString())), true)
      assert.equal(hasConsented(buildRequest(buildTcString([1, 7]))), true)
      for (const purposes of [[], [1], [7], [2, 3, 4, 5, 6, 8, 9, 10]])
        assert.equal(hasConsented(buildRequest(buildTcString(purposes))), false, `${purposes}`)
    })

    it('requires a TC string', () => {
      for (const headers of [{}, { cookie: '' }, { cookie: 'euconsent=x' }])
        assert.equal(hasConsented({ headers }), false)
    })

    it('requires consent to the vendor, if given, and its disclosure', () => {
      assert.equal(hasConsented(buildRequest(buildTcString([1, 7], [5, VENDOR])), VENDOR), true)
      assert.equal(hasConsented(buildRequest(buildTcString([1, 7], [5])), VENDOR), false)
      assert.equal(hasConsented(buildRequest(buildTcString([1], [VENDOR])), VENDOR), false)
      const [core] = buildTcString([1, 7], [VENDOR]).split('.')
      assert.equal(hasConsented(buildRequest(String(core)), VENDOR), false)
    })

    it('does not require disclosed vendors before TCF 2.3', () => {
      const consent = TCString.decode(buildTcString([1, 7], [VENDOR]))
      consent.policyVersion = 4
      const old = SegmentEncoder.encode(consent, Segment.CORE)
      assert.equal(hasConsented(buildRequest(old), VENDOR), true)
    })

    it('is false for a vendor that the publisher does not allow to measure', () => {
      const core = Base64Url.decode(buildTcString([1, 7], [VENDOR]).split('.')[0] ?? '')
      const restrictions = encodeBits(
        [1, 12],
        [7, 6],
        [RestrictionType.NOT_ALLOWED, 2],
        [1, 12],
        [0, 1],
        [VENDOR, 16],
      )
      // The core ends with the number of restrictions, 0, and padding.
      const end = core.length - 12 - countPadding(buildTcString([1, 7], [VENDOR]))
      const restricted = Base64Url.encode(core.slice(0, end) + restrictions)
      const [, disclosed] = buildTcString([1, 7], [VENDOR]).split('.')
      assert.ok(
        TCString.decode(restricted).publisherRestrictions.vendorHasRestriction(
          VENDOR,
          new PurposeRestriction(7, RestrictionType.NOT_ALLOWED),
        ),
      )
      assert.equal(hasConsented(buildRequest(`${restricted}.${disclosed}`), VENDOR), false)
      assert.equal(hasConsented(buildRequest(`${restricted}.${disclosed}`)), true)
    })
  })

  describe('hasConsented() with hostile TC strings', () => {
    it('returns a boolean and does not throw', () => {
      const core = buildTcString().split('.')[0] ?? ''
      const base64 = fc.string({
        unit: fc.constantFrom(
          ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.',
        ),
        maxLength: 200,
      })
      fc.assert(
        fc.property(
          fc.oneof(
            fc.string(),
            base64,
            base64.map((tail) => core.slice(0, 36) + tail),
          ),
          (value) => {
            assert.equal(
              typeof hasConsented({ headers: { cookie: `euconsent-v2=${value}` } }, 7),
              'boolean',
            )
          },
        ),
      )
    })

    it('does not decode ranges with more vendors than exist', () => {
      const { decode } = TCString
      let decoded = 0
      TCString.decode = (...call) => {
        decoded += 1
        return decode.apply(TCString, call)
      }
      try {
        const core = Base64Url.decode(buildTcString().split('.')[0] ?? '').slice(0, 213)
        const everyVendor: [number, number][] = [
          [1, 1],
          [1, 16],
          [65_535, 16],
        ]
        const ranges = (count: number) =>
          encodeBits([65_535, 16], [1, 1], [count, 12], ...Array(count).fill(everyVendor).flat())
        const none = encodeBits([0, 16], [0, 1])
        const restricted = encodeBits(
          [1, 12],
          [7, 6],
          [0, 2],
          [40, 12],
          ...Array(40).fill(everyVendor).flat(),
        )
        const hostile = [
          core + ranges(1) + none + encodeBits([0, 12]),
          core + none + ranges(40) + encodeBits([0, 12]),
          core + none + none + restricted,
        ].map((segment) => Base64Url.encode(segment))
        const disclosed = Base64Url.encode(encodeBits([1, 3]) + ranges(40))
        hostile.push(
          `${buildTcString()}.${disclosed}`,
          `${buildTcString()}.${`${disclosed}.`.repeat(50)}`,
        )
        for (const value of [...hostile, 'C'.repeat(5_000), buildTcString() + 'A'.repeat(100_000)])
          assert.equal(hasConsented(buildRequest(value)), false)
        assert.equal(decoded, 0)
        assert.equal(hasConsented(buildRequest(buildTcString())), true)
        assert.equal(decoded, 1)
      } finally {
        TCString.decode = decode
      }
    })
  })

  for (const framework of FRAMEWORKS) {
    it(`decide what counts over a socket, with ${framework}`, async () => {
      await using site = await AdSite.start({
        framework,
        options: { consent: (source) => !hasOptedOut(source) && hasConsented(source) },
      })
      const yes = { ...NAVIGATION_HEADERS, cookie: `euconsent-v2=${buildTcString()}` }
      const requests = [
        yes,
        NAVIGATION_HEADERS,
        { ...yes, 'sec-gpc': '1' },
        { ...NAVIGATION_HEADERS, cookie: 'euconsent-v2=COw' },
      ]
      const outcomes: string[][] = []
      for (const [i, headers] of requests.entries()) {
        await site.get('/', headers)
        outcomes.push([...(await site.waitForOutcomes(2 * i + 2))].slice(2 * i).sort())
      }
      const noConsent = ['closient no-consent', 'ens no-consent']
      assert.deepEqual(outcomes, [
        ['closient delivered', 'ens delivered'],
        noConsent,
        noConsent,
        noConsent,
      ])
      assert.deepEqual(site.log, [])
    })
  }
})

/** Encodes numbers as in a TC string, each with its width in bits. */
function encodeBits(...numbers: readonly [value: number, width: number][]): string {
  return numbers.map(([value, width]) => value.toString(2).padStart(width, '0')).join('')
}

/** Counts the bits that pad the last characters of the core. */
function countPadding(value: string): number {
  const [core = ''] = value.split('.')
  return Base64Url.decode(core).length - 213 - countVectorBits(core) - 12
}

function countVectorBits(core: string): number {
  const { vendorConsents, vendorLegitimateInterests } = TCString.decode(core)
  return vendorConsents.bitLength + vendorLegitimateInterests.bitLength
}
