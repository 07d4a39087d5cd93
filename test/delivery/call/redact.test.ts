import assert from 'node:assert/strict'
import fc from 'fast-check'
import { redact } from '../../../lib/delivery/call/redact.js'
import { judgeCall } from '../../../lib/delivery/call/safe-network.js'
import { defineNetwork } from '../../../lib/networks/define-network.js'
import { answer } from '../../networks/answer.js'

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
