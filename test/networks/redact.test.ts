import assert from 'node:assert/strict'
import fc from 'fast-check'
import { redact } from '../../lib/delivery/redact.js'

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
