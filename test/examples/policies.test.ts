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
import { tcString } from '../../examples/consent/banner.js'
import { hasConsented, objects } from '../../examples/consent/policies.js'
import { AdSite, FRAMEWORKS, NAVIGATION_HEADERS } from '../request/ad-site.js'

const VENDOR = 700

const visit = (value: string) => ({ headers: { cookie: `theme=dark; euconsent-v2=${value}; a=b` } })

describe('the policies of the example consent', () => {
  describe('by Global Privacy Control', () => {
    it('takes 1 for an objection, and nothing else', () => {
      assert.equal(objects({ headers: { 'sec-gpc': '1' } }), true)
      for (const headers of [{}, { 'sec-gpc': '0' }, { 'sec-gpc': ['1', '1'] }, { 'sec-gpc': '' }])
        assert.equal(objects({ headers }), false)
    })
  })

  describe('by the TC string', () => {
    it('need the purposes 1 and 7', () => {
      assert.equal(hasConsented(visit(tcString())), true)
      assert.equal(hasConsented(visit(tcString([1, 7]))), true)
      for (const purposes of [[], [1], [7], [2, 3, 4, 5, 6, 8, 9, 10]])
        assert.equal(hasConsented(visit(tcString(purposes))), false, `${purposes}`)
    })

    it('need a string', () => {
      for (const headers of [{}, { cookie: '' }, { cookie: 'euconsent=x' }])
        assert.equal(hasConsented({ headers }), false)
    })

    it('need the vendor where one is named, consented to and disclosed', () => {
      assert.equal(hasConsented(visit(tcString([1, 7], [5, VENDOR])), VENDOR), true)
      assert.equal(hasConsented(visit(tcString([1, 7], [5])), VENDOR), false)
      assert.equal(hasConsented(visit(tcString([1], [VENDOR])), VENDOR), false)
      const [core] = tcString([1, 7], [VENDOR]).split('.')
      assert.equal(hasConsented(visit(String(core)), VENDOR), false)
    })

    it('takes a string of before TCF 2.3 without disclosed vendors', () => {
      const consent = TCString.decode(tcString([1, 7], [VENDOR]))
      consent.policyVersion = 4
      const old = SegmentEncoder.encode(consent, Segment.CORE)
      assert.equal(hasConsented(visit(old), VENDOR), true)
    })

    it('know a vendor whom the publisher forbids to measure', () => {
      const core = Base64Url.decode(tcString([1, 7], [VENDOR]).split('.')[0] ?? '')
      const restrictions = bits(
        [1, 12],
        [7, 6],
        [RestrictionType.NOT_ALLOWED, 2],
        [1, 12],
        [0, 1],
        [VENDOR, 16],
      )
      // The core ends with the number of restrictions, 0, and padding.
      const end = core.length - 12 - paddingOf(tcString([1, 7], [VENDOR]))
      const restricted = Base64Url.encode(core.slice(0, end) + restrictions)
      const [, disclosed] = tcString([1, 7], [VENDOR]).split('.')
      assert.ok(
        TCString.decode(restricted).publisherRestrictions.vendorHasRestriction(
          VENDOR,
          new PurposeRestriction(7, RestrictionType.NOT_ALLOWED),
        ),
      )
      assert.equal(hasConsented(visit(`${restricted}.${disclosed}`), VENDOR), false)
      assert.equal(hasConsented(visit(`${restricted}.${disclosed}`)), true)
    })
  })

  describe('of hostile TC strings', () => {
    it('makes a no, and throws nothing, whatever they are', () => {
      const core = tcString().split('.')[0] ?? ''
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

    it('hands the decoder none whose ranges spell out more vendors than there are', () => {
      const { decode } = TCString
      let decoded = 0
      TCString.decode = (...call) => {
        decoded += 1
        return decode.apply(TCString, call)
      }
      try {
        const core = Base64Url.decode(tcString().split('.')[0] ?? '').slice(0, 213)
        const everyVendor: [number, number][] = [
          [1, 1],
          [1, 16],
          [65_535, 16],
        ]
        const ranges = (count: number) =>
          bits([65_535, 16], [1, 1], [count, 12], ...Array(count).fill(everyVendor).flat())
        const none = bits([0, 16], [0, 1])
        const restricted = bits(
          [1, 12],
          [7, 6],
          [0, 2],
          [40, 12],
          ...Array(40).fill(everyVendor).flat(),
        )
        const hostile = [
          core + ranges(1) + none + bits([0, 12]),
          core + none + ranges(40) + bits([0, 12]),
          core + none + none + restricted,
        ].map((segment) => Base64Url.encode(segment))
        const disclosed = Base64Url.encode(bits([1, 3]) + ranges(40))
        hostile.push(`${tcString()}.${disclosed}`, `${tcString()}.${`${disclosed}.`.repeat(50)}`)
        for (const value of [...hostile, 'C'.repeat(5_000), tcString() + 'A'.repeat(100_000)])
          assert.equal(hasConsented(visit(value)), false)
        assert.equal(decoded, 0)
        assert.equal(hasConsented(visit(tcString())), true)
        assert.equal(decoded, 1)
      } finally {
        TCString.decode = decode
      }
    })
  })

  for (const framework of FRAMEWORKS) {
    it(`say what counts over a socket, with ${framework}`, async () => {
      await using site = await AdSite.start({
        framework,
        options: { consent: (source) => !objects(source) && hasConsented(source) },
      })
      const yes = { ...NAVIGATION_HEADERS, cookie: `euconsent-v2=${tcString()}` }
      const requests = [
        yes,
        NAVIGATION_HEADERS,
        { ...yes, 'sec-gpc': '1' },
        { ...NAVIGATION_HEADERS, cookie: 'euconsent-v2=COw' },
      ]
      const told: string[][] = []
      for (const [i, headers] of requests.entries()) {
        await site.get('/', headers)
        told.push([...(await site.waitForOutcomes(2 * i + 2))].slice(2 * i).sort())
      }
      const no = ['closient no-consent', 'ens no-consent']
      assert.deepEqual(told, [['closient delivered', 'ens delivered'], no, no, no])
      assert.deepEqual(site.log, [])
    })
  }
})

/** Numbers as a TC string writes them: each with its width in bits. */
function bits(...numbers: readonly [value: number, width: number][]): string {
  return numbers.map(([value, width]) => value.toString(2).padStart(width, '0')).join('')
}

/** Bits that fill up the last characters of the core. */
function paddingOf(value: string): number {
  const [core = ''] = value.split('.')
  const { bitLength } = vectorsOf(core)
  return Base64Url.decode(core).length - 213 - bitLength - 12
}

function vectorsOf(core: string): { bitLength: number } {
  const { vendorConsents, vendorLegitimateInterests } = TCString.decode(core)
  return { bitLength: vendorConsents.bitLength + vendorLegitimateInterests.bitLength }
}
