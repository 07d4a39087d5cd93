import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeText } from '../../../lib/delivery/call/decode-text.js'

describe('decodeText()', () => {
  for (const [encoding, text] of [
    ['percent-encoding', 'key%2B1'],
    ['double percent-encoding', 'key%252B1'],
    ['a decimal HTML entity', 'key&#43;1'],
    ['a hexadecimal HTML entity', 'key&#x2b;1'],
    ['a JSON escape', 'key\\u002b1'],
    ['a JavaScript escape', 'key\\x2b1'],
    ['spaces and line breaks', 'k e\\ny + 1'],
    ['upper case', 'KEY+1'],
    ['the alphabet of base64url', 'key-1'],
  ] as const) {
    it(`decodes ${encoding}`, () => {
      assert.equal(decodeText(text).characters, 'key+1')
    })
  }

  it('maps each character to its position in the original', () => {
    assert.deepEqual(decodeText('a%42&amp;c'), {
      characters: 'ab&c',
      starts: [0, 1, 4, 9],
      ends: [1, 4, 9, 10],
    })
  })

  it('maps every character to ordered positions within any text', () => {
    const pieces = fc.constantFrom(
      '%',
      '25',
      '2B',
      '&',
      '#x',
      'amp',
      ';',
      '\\u',
      '00',
      ' ',
      'é',
      'K',
    )
    const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, (text) => {
        const { characters, starts, ends } = decodeText(text)
        assert.equal(starts.length, characters.length)
        assert.equal(ends.length, characters.length)
        let previousEnd = 0
        for (const [index, start] of starts.entries()) {
          const end = ends[index] ?? 0
          assert(previousEnd <= start && start < end && end <= text.length)
          previousEnd = end
        }
      }),
    )
  })
})
