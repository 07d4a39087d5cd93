import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isShortuuid, toShortuuid } from '../../lib/networks/shortuuid.js'

const ALPHABET = [...'23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz']

/** `int_to_string` of Python's shortuuid 1.0: an independent implementation to compare with. */
function pythonEncode(uuid: string): string {
  let number = BigInt(`0x${uuid.replace(/-/g, '')}`)
  const output: string[] = []
  while (number > 0n) {
    output.push(ALPHABET[Number(number % 57n)] ?? '')
    number /= 57n
  }
  while (output.length < 22) output.push('2')
  return output.reverse().join('')
}

/** `string_to_int` of Python's shortuuid, formatted as a UUID. */
function pythonDecode(shortuuid: string): string {
  let number = 0n
  for (const digit of shortuuid) number = number * 57n + BigInt(ALPHABET.indexOf(digit))
  const hex = number.toString(16).padStart(32, '0')
  return [8, 12, 16, 20]
    .reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex)
    .toString()
}

const uuids = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((number) => number.toString(16).padStart(32, '0'))
  .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))

describe('toShortuuid()', () => {
  it('agrees with test vectors of Python’s shortuuid', () => {
    // From skorokithakis/shortuuid, test_shortuuid.py, and some small numbers.
    const vectors = {
      '3b1f8b40-222c-4a6e-b77e-779d5a94e21c': 'CXc85b4rqinB7s5J52TRYb',
      '00000000-0000-0000-0000-000000000000': '2222222222222222222222',
      '00000000-0000-0000-0000-000000000001': '2222222222222222222223',
      '00000000-0000-0000-0000-000000000038': '222222222222222222222z',
      '00000000-0000-0000-0000-000000000039': '2222222222222222222232',
    }
    for (const [uuid, shortuuid] of Object.entries(vectors)) {
      assert.equal(toShortuuid(uuid), shortuuid)
    }
  })

  it('agrees with an independent implementation on the documented UUIDs', () => {
    for (const uuid of [
      '12345678-1234-5678-1234-567812345678',
      'a1b2c3d4-e5f6-7890-abcd-ef1234567890',
      'f9e8d7c6-b5a4-3210-fedc-ba0987654321',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ]) {
      assert.equal(toShortuuid(uuid), pythonEncode(uuid))
    }
  })

  it('round-trips every UUID through an independent decoder', () => {
    fc.assert(
      fc.property(uuids, (uuid) => {
        const shortuuid = toShortuuid(uuid)
        assert.ok(shortuuid)
        assert.match(shortuuid, /^[2-9A-HJ-NP-Za-km-z]{22}$/)
        assert.equal(pythonDecode(shortuuid), uuid)
      }),
    )
  })

  it('returns a shortuuid unchanged', () => {
    fc.assert(
      fc.property(uuids, (uuid) => {
        const shortuuid = pythonEncode(uuid)
        assert.ok(isShortuuid(shortuuid))
        assert.equal(toShortuuid(shortuuid), shortuuid)
      }),
    )
  })

  it('keeps the order of UUIDs', () => {
    fc.assert(
      fc.property(uuids, uuids, (one, other) => {
        const [first = '', second = ''] = [toShortuuid(one), toShortuuid(other)]
        assert.equal(first < second, one < other)
      }),
    )
  })

  it('ignores the case of a UUID', () => {
    fc.assert(
      fc.property(uuids, (uuid) => {
        assert.equal(toShortuuid(uuid.toUpperCase()), toShortuuid(uuid))
      }),
    )
  })

  it('respects the case of a shortuuid', () => {
    const shortuuid = 'mhvXdrZT4jP5T8vBxuvm75'
    assert.equal(toShortuuid(shortuuid), shortuuid)
    assert.notEqual(toShortuuid(shortuuid.toUpperCase()), shortuuid)
  })

  for (const length of [0, 1, 21, 23, 32, 36]) {
    it(`rejects ${length} digits`, () => {
      assert.equal(toShortuuid('2'.repeat(length)), undefined)
    })
  }

  for (const letter of ['0', '1', 'I', 'O', 'l', '-', '_', ' ', '\n', 'é', '２']) {
    it(`rejects the character ${JSON.stringify(letter)}, which is not in the alphabet`, () => {
      for (const at of [0, 10, 21]) {
        const text = `${'2'.repeat(at)}${letter}${'2'.repeat(21 - at)}`
        assert.equal(toShortuuid(text), undefined)
      }
    })
  }

  it('rejects 22 digits followed by a line break', () => {
    assert.equal(toShortuuid(`${'2'.repeat(22)}\n`), undefined)
  })

  it('rejects a number of more than 128 bits', () => {
    const last = pythonEncode('ffffffff-ffff-ffff-ffff-ffffffffffff')
    const nextDigit = ALPHABET[ALPHABET.indexOf(last.at(-1) ?? '') + 1]
    assert.ok(nextDigit, 'the last digit has a successor')
    assert.equal(toShortuuid(last), last)
    assert.equal(toShortuuid(last.slice(0, -1) + nextDigit), undefined)
    assert.equal(toShortuuid('z'.repeat(22)), undefined)
  })

  it('accepts a UUID in its canonical form only', () => {
    const hex = '12345678123456781234567812345678'
    for (const text of [
      hex,
      `{12345678-1234-5678-1234-567812345678}`,
      'urn:uuid:12345678-1234-5678-1234-567812345678',
      '1234567-81234-5678-1234-567812345678',
      '12345678-1234-5678-1234-56781234567g',
      ' 12345678-1234-5678-1234-567812345678',
      '12345678-1234-5678-1234-567812345678\n',
      '12345678_1234_5678_1234_567812345678',
    ]) {
      assert.equal(toShortuuid(text), undefined, text)
    }
  })

  it('returns a shortuuid or undefined for any string', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const shortuuid = toShortuuid(text)
        assert.ok(shortuuid === undefined || isShortuuid(shortuuid))
      }),
    )
  })
})
