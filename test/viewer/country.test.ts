import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CDNS, isCdn, isCountryCode, readCountry, toCountry } from '../../lib/viewer/country.js'
import { hostileHeaders } from '../request/hostile-headers.js'
import { CDN_HEADERS, encodeNetlifyGeo } from './cdn-headers.js'

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

const NO_COUNTRY = ['XX', 'T1', 'ZZ', 'AP', 'EU', 'A1', 'A2', 'O1', 'UK', 'XK', 'AN', 'YU', 'AA']

describe('country', () => {
  describe('a code', () => {
    it('is a country only if ISO 3166-1 has assigned it', () => {
      for (const code of ['US', 'GB', 'DE', 'FR', 'TW', 'PS', 'AQ', 'SS', 'ZA'])
        assert.equal(isCountryCode(code), true, code)
      for (const code of NO_COUNTRY) assert.equal(isCountryCode(code), false, code)
    })

    it('is none of the names that every object has', () => {
      for (const name of ['constructor', '__proto__', 'toString', ''])
        assert.equal(isCountryCode(name), false, name)
    })

    it('is one of the 249 that are assigned', () => {
      const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
      const codes = letters.flatMap((first) => letters.map((second) => first + second))
      assert.equal(codes.filter(isCountryCode).length, 249)
    })
  })

  describe("a function's answer", () => {
    it('is put in upper case', () => {
      assert.equal(toCountry('us'), 'US')
      assert.equal(toCountry('dE'), 'DE')
      assert.equal(toCountry('FR'), 'FR')
    })

    it('is no country unless it is two letters that name one', () => {
      const answers = [...NO_COUNTRY, 'uk', '', 'U', 'USA', ' US', 'US\n', 'U$', 'ıs', 'ß', '٣٤']
      for (const answer of [
        ...answers,
        null,
        undefined,
        49,
        true,
        ['US'],
        { code: 'US' },
        Symbol(),
      ])
        assert.equal(toCountry(answer), undefined, String(answer))
    })

    it('is an assigned code in upper case or nothing, whatever it is', () => {
      const answers = fc.oneof(
        fc.anything(),
        fc.string({ unit: 'binary', maxLength: 3 }),
        fc.string({ unit: fc.constantFrom(...'aAeEsSuUıİß'), maxLength: 3 }),
      )
      fc.assert(
        fc.property(answers, (answer) => {
          const country = toCountry(answer)
          assert.ok(country === undefined || isCountryCode(country))
        }),
      )
    })
  })

  describe('a CDN', () => {
    it('is known by its name alone', () => {
      assert.deepEqual([...CDNS].sort(), Object.keys(CDN_HEADERS).sort())
      for (const name of ['constructor', '__proto__', 'Cloudflare', '', null, undefined, 7])
        assert.equal(isCdn(name), false, String(name))
    })
  })

  for (const cdn of CDNS) {
    const [name, value] = CDN_HEADERS[cdn]

    describe(`by ${cdn}`, () => {
      it(`is read from ${name}`, () => {
        assert.equal(readCountry(cdn, { [name]: value('US') }), 'US')
        assert.equal(readCountry(cdn, { [name]: value('nz') }), 'NZ')
      })

      it('is none where the code names none', () => {
        for (const code of [...NO_COUNTRY, '', '?', '-', 'reserved', 'Unknown'])
          assert.equal(readCountry(cdn, { [name]: value(code) }), undefined, code)
      })

      it('is none where the header is missing or repeated', () => {
        assert.equal(readCountry(cdn, {}), undefined)
        assert.equal(readCountry(cdn, { [name]: [value('US'), value('US')] }), undefined)
      })

      it('is not read from a header of another CDN', () => {
        const others = CDNS.filter((other) => other !== cdn).map((other) => CDN_HEADERS[other])
        const headers = Object.fromEntries(others.map(([other, sent]) => [other, sent('US')]))
        assert.equal(readCountry(cdn, headers), undefined)
      })

      it('is an assigned code or nothing, and nothing throws, whatever is sent', () => {
        const values = [value('US'), value('us'), value('XX'), 'US,US', 'US, DE']
        fc.assert(
          fc.property(hostileHeaders([name], values), (headers) => {
            const country = readCountry(cdn, headers)
            assert.ok(country === undefined || isCountryCode(country))
          }),
        )
      })
    })
  }

  it('takes nothing from two values that a proxy has joined', () => {
    assert.equal(readCountry('cloudflare', { 'cf-ipcountry': 'US, DE' }), undefined)
  })

  it("finds EdgeScape's country first and last, and no other field of that ending", () => {
    const read = (value: string) => readCountry('akamai', { 'x-akamai-edgescape': value })
    assert.equal(read('country_code=CA'), 'CA')
    assert.equal(read('georegion=1, country_code=CA'), 'CA')
    assert.equal(read('not_country_code=CA,city=X'), undefined)
    assert.equal(read('georegion=1,country_code=CAN'), undefined)
  })

  it("takes no country from a Netlify header that is none of Netlify's", () => {
    for (const value of [base64(null), base64('US'), base64([]), base64({ country: 'US' }), '{}'])
      assert.equal(readCountry('netlify', { 'x-nf-geo': value }), undefined, value)
    for (const code of [undefined, null, 1, ['US'], { code: 'US' }])
      assert.equal(readCountry('netlify', { 'x-nf-geo': encodeNetlifyGeo(code) }), undefined)
  })
})
