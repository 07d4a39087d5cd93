import assert from 'node:assert/strict'
import fc from 'fast-check'
import { redact } from '../../../lib/delivery/call/redact.js'
import { buildRequest, judgeCall } from '../../../lib/delivery/call/safe-network.js'
import { defineNetwork } from '../../../lib/networks/define-network.js'
import { answer } from '../../networks/answer.js'
import { inspectAll } from '../../networks/canaries.js'

const percentEncode = (text: string) =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** Ways in which an error page may repeat a key. */
const FORMS: Readonly<Record<string, (key: string) => string>> = {
  'in capitals': (key) => key.toUpperCase(),
  'in small letters': (key) => key.toLowerCase(),
  'percent-encoded as a whole': percentEncode,
  'percent-encoded here and there': (key) => key.replace(/[by2]/g, percentEncode),
  'percent-encoded twice': (key) => encodeURIComponent(encodeURIComponent(key)),
  'as HTML': (key) => key.replaceAll('"', '&quot;').replaceAll('+', '&#43;'),
  'as HTML in hexadecimal': (key) =>
    key.replace(/./g, (it) => `&#x${it.charCodeAt(0).toString(16)};`),
  'as HTML without semicolons': (key) => key.replace(/["=\\]/g, (it) => `&#0${it.charCodeAt(0)}`),
  'as JSON in HTML': (key) => JSON.stringify(key).replaceAll('"', '&#34;').slice(5, -5),
  'in the escapes of JSON': (key) =>
    key.replace(/./g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'in the escapes of JavaScript': (key) =>
    key.replace(/./g, (it) => `\\x${it.charCodeAt(0).toString(16)}`),
  'split by spaces': (key) => key.replace(/.{4}/g, '$& '),
  'split by line breaks in JSON': (key) => key.replace(/.{6}/g, '$&\\n'),
  'in base64': (key) => Buffer.from(key).toString('base64'),
  'in base64 behind one byte': (key) => Buffer.from(`:${key}`).toString('base64'),
  'in base64 behind two bytes': (key) => Buffer.from(`a:${key}`).toString('base64'),
  'in base64 behind a user': (key) => Buffer.from(`u:${key}@`).toString('base64'),
  'in base64url': (key) => Buffer.from(key).toString('base64url'),
  'in hexadecimal': (key) => Buffer.from(key).toString('hex').toUpperCase(),
  'without its end': (key) => `${key.slice(0, 12)}…`,
  'without its beginning': (key) => `…${key.slice(-9)}`,
}

describe("a network's words", () => {
  const key = 'csb_body+1/2="x\\_sum'

  for (const [form, echo] of [
    ['as it was sent', `Bearer ${key}`],
    ['without its scheme', key],
    ['as a URL has it', `?key=${encodeURIComponent(key)}&x`],
    ['as JSON in a text', JSON.stringify({ authorization: `Bearer ${key}` })],
    ['twice', `${key} ${key}`],
    ['in the middle of a word', `x${key}y`],
  ] as const) {
    it(`lose a key that comes back ${form}`, () => {
      const clean = redact(`unknown: ${echo}.`, { authorization: `Bearer ${key}` })
      assert.match(clean, /^unknown: .*\[redacted\].*\.$/)
      assert.ok(!clean.includes('body') && !clean.includes('_sum'), clean)
    })
  }

  for (const [form, write] of Object.entries(FORMS)) {
    it(`lose a key that comes back ${form}`, () => {
      const clean = redact(`unknown: ${write(key)}.`, { authorization: `Bearer ${key}` })
      assert.match(clean, /^unknown: .*\[redacted\].*\.$/)
      const rest = clean.replaceAll('[redacted]', '').slice('unknown: '.length, -1)
      assert.ok(rest.length <= 8, clean)
    })

    it(`lose a secret of the path that comes back ${form}`, () => {
      const clean = redact(`unknown: ${write(key)}.`, {}, ['another-secret', key])
      assert.match(clean, /^unknown: .*\[redacted\].*\.$/)
    })
  }

  it('lose the user and the password of Basic authentication', () => {
    const basic = Buffer.from('publisher:pass-canary').toString('base64')
    const headers = { authorization: `Basic ${basic}` }
    assert.equal(redact('wrong: publisher:pass-canary', headers), 'wrong: [redacted]')
    assert.equal(redact('wrong pass-canary!', headers), 'wrong [redacted]!')
    assert.equal(redact(`wrong: ${basic}`, headers), 'wrong: [redacted]')
  })

  it('keep what only resembles a key', () => {
    const text = 'the keys csb_x and body% of &quot;csb&quot; 100%25 are unknown \\u00e4 &#228;'
    assert.equal(redact(text, { authorization: `Bearer ${key}` }), text)
  })

  it('are redacted in time, whatever they are', () => {
    const hostile = ['&#', '%25', '\\', ' ', 'csb_body', '&amp;', '&#x00000'].map((piece) =>
      piece.repeat(1_000).slice(0, 1_000),
    )
    for (const text of hostile) {
      for (let times = 0; times < 20; times += 1) redact(text, { authorization: `Bearer ${key}` })
    }
  })

  it('lose a key in any mixture of encodings, with spaces anywhere', () => {
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
        const clean = redact(`${before} ${echo} ${after}`, { 'x-api-key': secret })
        assert.ok(clean.includes('[redacted]') && !clean.includes(echo.trim()), clean)
      }),
      { numRuns: 1_000 },
    )
  })

  it('lose no words of headers that hold no secret', () => {
    const headers = {
      'Content-Type': 'application/json',
      accept: 'text/html',
      'User-Agent': 'acme',
    }
    const text = 'expected application/json, text/html from acme'
    assert.equal(redact(text, headers), text)
  })

  it('lose a short value only where it stands alone', () => {
    const headers = { 'x-version': '2', 'x-key': 'a.b' }
    assert.equal(
      redact('HTTP 200: no axb, version 2', headers),
      'HTTP 200: no axb, version [redacted]',
    )
    assert.equal(redact('the key a.b is wrong', headers), 'the key [redacted] is wrong')
  })

  it('are as they were without headers, or with empty ones', () => {
    assert.equal(redact('HTTP 500', {}), 'HTTP 500')
    assert.equal(redact('HTTP 500', { 'x-key': '' }), 'HTTP 500')
  })

  it('keep no key, whatever the key and whatever is around it', () => {
    const keys = fc.string({ minLength: 8, unit: fc.constantFrom(...'aB3_-+/="\\$&^*.') })
    fc.assert(
      fc.property(keys, fc.string(), fc.string(), (secret, before, after) => {
        const clean = redact(`${before}${secret}${after}`, { 'x-api-key': secret })
        assert.ok(clean.includes('[redacted]'))
      }),
    )
  })
})

describe('the reason of a verdict', () => {
  const key = 'canary_0123456789abcdef'
  const log = { debug() {}, warn() {}, error() {} }

  /** The reason of an answer with this body to a request with the key in its path. */
  function readReason(message: string): string {
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      secrets: [key],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'GET', path: `/v1/${key}/shown`, headers: {}, body: '' }),
      verdict: ({ body }) => ({ kind: 'rejected', reason: body }),
    })
    const request = buildRequest(network, [])
    return judgeCall(network, { answer: answer(400, message) }, request, log).reason
  }

  it('contains no secret of the path, for a network and one that is made of it', () => {
    assert.equal(readReason(`no route /v1/${key}/shown`), 'no route /v1/[redacted]/shown')
  })

  it('contains no part of a secret where it is cut off', () => {
    for (let at = 150; at < 220; at += 1) {
      const reason = readReason(`${'x'.repeat(at)}${key} and more`)
      assert.ok(!reason.includes('canary_0'), reason)
    }
    // Redacting shortens the text, so that what was cut off after 1,000 characters may be shown.
    for (let at = 0; at < 60; at += 1) {
      const long = key.split('').join('          ')
      const reason = readReason(`${'x'.repeat(at)}${long.repeat(10)}`)
      assert.match(reason, /^x*(\[redacted\])+( *[a-z_]){0,7}…$/)
    }
  })

  it('contains no secret that invisible characters split', () => {
    assert.equal(readReason(`key ${key.split('').join('\u200b')}.`), 'key [redacted].')
    assert.equal(readReason(`key ${key.slice(0, 9)}\r\n${key.slice(9)}.`), 'key [redacted].')
  })
})

describe('the secrets of a network', () => {
  const network = defineNetwork({
    name: 'acme',
    baseUrl: 'https://ads.acme.example',
    fields: [],
    secrets: ['canary-secret'],
    parse: () => ({ campaignId: 1, item: 1 }),
    request: () => ({ method: 'GET', path: '/', headers: {}, body: '' }),
  })

  it('are not shown when the network is inspected', () => {
    assert.ok(!inspectAll(network).includes('canary'))
  })

  it('stay with a network that is made of it', () => {
    const other = defineNetwork({ ...network, secrets: ['another'] })
    assert.deepEqual(other.request([]).secrets, ['canary-secret', 'another'])
    assert.deepEqual({ ...network }.request([]).secrets, ['canary-secret'])
  })
})

describe("the error of a network's own verdict", () => {
  it('is withheld: a parser quotes pieces of an answer that echoes the key', () => {
    const key = 'csb_canary'
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'POST', path: '/', headers: { 'x-api-key': key }, body: '' }),
      verdict: ({ body }) => JSON.parse(body),
    })
    const said: string[] = []
    const say = (_kind: string, message: string) => void said.push(message)
    const log = { debug: say, warn: say, error: say }
    const echo = { answer: answer(400, `${key} is wrong`) }
    const verdict = judgeCall(network, echo, network.request([]), log)
    assert.deepEqual(verdict, { kind: 'rejected', reason: 'HTTP 400' })
    assert.equal(said.length, 1)
    assert.equal(said[0], 'acme: verdict() threw: the status decides')
  })
})
