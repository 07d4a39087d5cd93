import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CDNS, isCdn, isCountryCode, readCountry, toCountry } from '../../lib/viewer/country.js'
import { hostileHeaders } from '../request/hostile-headers.js'
import { CDN_HEADERS, encodeBase64Json, encodeNetlifyGeo } from './cdn-headers.js'

const UNASSIGNED_CODES = [
  'XX',
  'T1',
  'ZZ',
  'AP',
  'EU',
  'A1',
  'A2',
  'O1',
  'UK',
  'XK',
  'AN',
  'YU',
  'AA',
]

describe('country', () => {
  describe('a code', () => {
    it('is a country only if ISO 3166-1 assigns it', () => {
      for (const code of ['US', 'GB', 'DE', 'FR', 'TW', 'PS', 'AQ', 'SS', 'ZA'])
        assert.equal(isCountryCode(code), true, code)
      for (const code of UNASSIGNED_CODES) assert.equal(isCountryCode(code), false, code)
    })

    it('is not a property name that every object has', () => {
      for (const name of ['constructor', '__proto__', 'toString', ''])
        assert.equal(isCountryCode(name), false, name)
    })

    it('is one of the 249 that are assigned', () => {
      const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
      const codes = letters.flatMap((first) => letters.map((second) => first + second))
      assert.equal(codes.filter(isCountryCode).length, 249)
    })
  })

  describe("a function's result", () => {
    it('is converted to upper case', () => {
      assert.equal(toCountry('us'), 'US')
      assert.equal(toCountry('dE'), 'DE')
      assert.equal(toCountry('FR'), 'FR')
    })

    it('is ignored unless it is an assigned code of two letters', () => {
      const results = [
        ...UNASSIGNED_CODES,
        'uk',
        '',
        'U',
        'USA',
        ' US',
        'US\n',
        'U$',
        'ıs',
        'ß',
        '٣٤',
      ]
      for (const result of [
        ...results,
        null,
        undefined,
        49,
        true,
        ['US'],
        { code: 'US' },
        Symbol(),
      ])
        assert.equal(toCountry(result), undefined, String(result))
    })

    it('becomes an assigned code in upper case or undefined, whatever it is', () => {
      const results = fc.oneof(
        fc.anything(),
        fc.string({ unit: 'binary', maxLength: 3 }),
        fc.string({ unit: fc.constantFrom(...'aAeEsSuUıİß'), maxLength: 3 }),
      )
      fc.assert(
        fc.property(results, (result) => {
          const country = toCountry(result)
          assert.ok(country === undefined || isCountryCode(country))
        }),
      )
    })
  })

  describe('a CDN', () => {
    it('is identified only by its exact name', () => {
      assert.deepEqual([...CDNS].sort(), Object.keys(CDN_HEADERS).sort())
      for (const name of ['constructor', '__proto__', 'Cloudflare', '', null, undefined, 7])
        assert.equal(isCdn(name), false, String(name))
    })
  })

  for (const cdn of CDNS) {
    const [name, format] = CDN_HEADERS[cdn]

    describe(`from ${cdn}`, () => {
      it(`is read from ${name}`, () => {
        assert.equal(readCountry(cdn, { [name]: format('US') }), 'US')
        assert.equal(readCountry(cdn, { [name]: format('nz') }), 'NZ')
      })

      it('is undefined if the code is not assigned', () => {
        for (const code of [...UNASSIGNED_CODES, '', '?', '-', 'reserved', 'Unknown'])
          assert.equal(readCountry(cdn, { [name]: format(code) }), undefined, code)
      })

      it('is undefined if the header is missing or repeated', () => {
        assert.equal(readCountry(cdn, {}), undefined)
        assert.equal(readCountry(cdn, { [name]: [format('US'), format('US')] }), undefined)
      })

      it("is not read from another CDN's header", () => {
        const others = CDNS.filter((other) => other !== cdn).map((other) => CDN_HEADERS[other])
        const headers = Object.fromEntries(
          others.map(([otherName, formatOther]) => [otherName, formatOther('US')]),
        )
        assert.equal(readCountry(cdn, headers), undefined)
      })

      it('is an assigned code or undefined, without throwing, whatever is sent', () => {
        const values = [format('US'), format('us'), format('XX'), 'US,US', 'US, DE']
        fc.assert(
          fc.property(hostileHeaders([name], values), (headers) => {
            const country = readCountry(cdn, headers)
            assert.ok(country === undefined || isCountryCode(country))
          }),
        )
      })
    })
  }

  it('is undefined for two values that a proxy has joined', () => {
    assert.equal(readCountry('cloudflare', { 'cf-ipcountry': 'US, DE' }), undefined)
  })

  it("is found first or last in EdgeScape's header, and not in a field with the same ending", () => {
    const read = (value: string) => readCountry('akamai', { 'x-akamai-edgescape': value })
    assert.equal(read('country_code=CA'), 'CA')
    assert.equal(read('georegion=1, country_code=CA'), 'CA')
    assert.equal(read('not_country_code=CA,city=X'), undefined)
    assert.equal(read('georegion=1,country_code=CAN'), undefined)
  })

  it('is undefined for a malformed Netlify header', () => {
    for (const value of [
      encodeBase64Json(null),
      encodeBase64Json('US'),
      encodeBase64Json([]),
      encodeBase64Json({ country: 'US' }),
      '{}',
    ])
      assert.equal(readCountry('netlify', { 'x-nf-geo': value }), undefined, value)
    for (const code of [undefined, null, 1, ['US'], { code: 'US' }])
      assert.equal(readCountry('netlify', { 'x-nf-geo': encodeNetlifyGeo(code) }), undefined)
  })
})
