import assert from 'node:assert/strict'
import fc from 'fast-check'
import { redact } from '../../../lib/delivery/call/redact.js'

const percentEncode = (text: string) =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** Encodings in which an error page may echo a key. */
const FORMS: Readonly<Record<string, (key: string) => string>> = {
  'in upper case': (key) => key.toUpperCase(),
  'in lower case': (key) => key.toLowerCase(),
  'fully percent-encoded': percentEncode,
  'partly percent-encoded': (key) => key.replace(/[by2]/g, percentEncode),
  'percent-encoded twice': (key) => encodeURIComponent(encodeURIComponent(key)),
  'as HTML entities': (key) => key.replaceAll('"', '&quot;').replaceAll('+', '&#43;'),
  'as hexadecimal HTML entities': (key) =>
    key.replace(/./g, (character) => `&#x${character.charCodeAt(0).toString(16)};`),
  'as HTML entities without semicolons': (key) =>
    key.replace(/["=\\]/g, (character) => `&#0${character.charCodeAt(0)}`),
  'as JSON in HTML': (key) => JSON.stringify(key).replaceAll('"', '&#34;').slice(5, -5),
  'in JSON escapes': (key) =>
    key.replace(/./g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'in JavaScript escapes': (key) =>
    key.replace(/./g, (character) => `\\x${character.charCodeAt(0).toString(16)}`),
  'split by spaces': (key) => key.replace(/.{4}/g, '$& '),
  'split by line breaks in JSON': (key) => key.replace(/.{6}/g, '$&\\n'),
  'in base64': (key) => Buffer.from(key).toString('base64'),
  'in base64 after one byte': (key) => Buffer.from(`:${key}`).toString('base64'),
  'in base64 after two bytes': (key) => Buffer.from(`a:${key}`).toString('base64'),
  'in base64 after a user name': (key) => Buffer.from(`u:${key}@`).toString('base64'),
  'in base64url': (key) => Buffer.from(key).toString('base64url'),
  'in hexadecimal': (key) => Buffer.from(key).toString('hex').toUpperCase(),
  'without its end': (key) => `${key.slice(0, 12)}…`,
  'without its beginning': (key) => `…${key.slice(-9)}`,
}

describe('redact', () => {
  const key = 'csb_body+1/2="x\\_sum'

  for (const [form, echo] of [
    ['as it was sent', `Bearer ${key}`],
    ['without its scheme', key],
    ['in a URL', `?key=${encodeURIComponent(key)}&x`],
    ['in JSON', JSON.stringify({ authorization: `Bearer ${key}` })],
    ['twice', `${key} ${key}`],
    ['in the middle of a word', `x${key}y`],
  ] as const) {
    it(`removes a key that is echoed ${form}`, () => {
      const redacted = redact(`unknown: ${echo}.`, { authorization: `Bearer ${key}` })
      assert.match(redacted, /^unknown: .*\[redacted\].*\.$/)
      assert.ok(!redacted.includes('body') && !redacted.includes('_sum'), redacted)
    })
  }

  for (const [form, write] of Object.entries(FORMS)) {
    it(`removes a key that is echoed ${form}`, () => {
      const redacted = redact(`unknown: ${write(key)}.`, { authorization: `Bearer ${key}` })
      assert.match(redacted, /^unknown: .*\[redacted\].*\.$/)
      const rest = redacted.replaceAll('[redacted]', '').slice('unknown: '.length, -1)
      assert.ok(rest.length <= 8, redacted)
    })

    it(`removes a path secret that is echoed ${form}`, () => {
      const redacted = redact(`unknown: ${write(key)}.`, {}, ['another-secret', key])
      assert.match(redacted, /^unknown: .*\[redacted\].*\.$/)
    })
  }

  it('removes the user name and the password of Basic authentication', () => {
    const basic = Buffer.from('publisher:pass-canary').toString('base64')
    const headers = { authorization: `Basic ${basic}` }
    assert.equal(redact('wrong: publisher:pass-canary', headers), 'wrong: [redacted]')
    assert.equal(redact('wrong pass-canary!', headers), 'wrong [redacted]!')
    assert.equal(redact(`wrong: ${basic}`, headers), 'wrong: [redacted]')
  })

  it('keeps text that only resembles a key', () => {
    const text = 'the keys csb_x and body% of &quot;csb&quot; 100%25 are unknown \\u00e4 &#228;'
    assert.equal(redact(text, { authorization: `Bearer ${key}` }), text)
  })

  it('does not hang on hostile text', () => {
    const hostile = ['&#', '%25', '\\', ' ', 'csb_body', '&amp;', '&#x00000'].map((piece) =>
      piece.repeat(1_000).slice(0, 1_000),
    )
    for (const text of hostile) {
      for (let times = 0; times < 20; times += 1) redact(text, { authorization: `Bearer ${key}` })
    }
  })

  it('removes a key in any mixture of encodings, with spaces anywhere', () => {
    const encoders = fc.constantFrom<(character: string) => string>(
      (character) => character,
      (character) => character.toUpperCase(),
      (character) => `${character} `,
      percentEncode,
      (character) => percentEncode(percentEncode(character)),
      (character) => `&#${character.charCodeAt(0)};`,
      (character) => `&#X${character.charCodeAt(0).toString(16)};`,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    const secret = 'csb_aB3xY-9fQ+12'
    const mixture = fc.array(encoders, { minLength: secret.length, maxLength: secret.length })
    fc.assert(
      fc.property(mixture, fc.string(), fc.string(), (encode, before, after) => {
        const echo = [...secret].map((character, index) => encode[index]?.(character)).join('')
        const redacted = redact(`${before} ${echo} ${after}`, { 'x-api-key': secret })
        assert.ok(redacted.includes('[redacted]') && !redacted.includes(echo.trim()), redacted)
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps the values of headers that are not secret', () => {
    const headers = {
      'Content-Type': 'application/json',
      accept: 'text/html',
      'User-Agent': 'acme',
    }
    const text = 'expected application/json, text/html from acme'
    assert.equal(redact(text, headers), text)
  })

  it('removes a short value only as a separate word', () => {
    const headers = { 'x-version': '2', 'x-key': 'a.b' }
    assert.equal(
      redact('HTTP 200: no axb, version 2', headers),
      'HTTP 200: no axb, version [redacted]',
    )
    assert.equal(redact('the key a.b is wrong', headers), 'the key [redacted] is wrong')
  })

  it('returns the text unchanged without headers or with empty ones', () => {
    assert.equal(redact('HTTP 500', {}), 'HTTP 500')
    assert.equal(redact('HTTP 500', { 'x-key': '' }), 'HTTP 500')
  })

  it('removes any key from any text', () => {
    const keys = fc.string({ minLength: 8, unit: fc.constantFrom(...'aB3_-+/="\\$&^*.') })
    fc.assert(
      fc.property(keys, fc.string(), fc.string(), (secret, before, after) => {
        const redacted = redact(`${before}${secret}${after}`, { 'x-api-key': secret })
        assert.ok(redacted.includes('[redacted]'))
      }),
    )
  })
})
