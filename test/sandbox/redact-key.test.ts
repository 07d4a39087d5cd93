import assert from 'node:assert/strict'
import { createKeyRedactor, redactBody } from '../../lib/sandbox/redact-key.js'

const KEY = "csb_canary/k'ey +(1)!é~"

const inBase64 = (text: string) => Buffer.from(text).toString('base64')

const forms: readonly (readonly [form: string, text: string])[] = [
  ['as it is', KEY],
  ['in a URL', encodeURIComponent(KEY)],
  ['in a URL, in lower case', encodeURIComponent(KEY).replace(/%../g, (o) => o.toLowerCase())],
  ['in a URL by RFC 3986', encodeURIComponent(KEY).replace(/[!'()*]/g, (c) => `%${hex(c)}`)],
  ['in a form', new URLSearchParams({ key: KEY }).toString()],
  ['in JSON', JSON.stringify(KEY)],
  ['in base64', inBase64(KEY)],
  ['in base64 behind a name', inBase64(`u:${KEY}`)],
  ['in base64 behind a longer name', inBase64(`me:${KEY}`)],
  ['in base64 before a colon', inBase64(`${KEY}:`)],
  ['in base64 for URLs', Buffer.from(`${KEY}???`).toString('base64url')],
]

function hex(character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase()
}

describe('the key of a sandbox network', () => {
  const redact = createKeyRedactor(KEY)

  for (const [form, text] of forms) {
    it(`is redacted ${form}`, () => {
      const redacted = redact(`before ${text} after`)
      assert.match(redacted, /^before .*\[redacted\].* after$/)
      assert.ok(redacted.length <= 'before "key=[redacted]=====" after'.length, redacted)
    })
  }

  for (const [where, body, expected] of [
    ['the text of a body', `["${KEY}"]`, ['[redacted]']],
    ['an escape of a body', `["\\u0063${KEY.slice(1)}"]`, ['[redacted]']],
    ['an escaped name of a body', `{"\\u0063${KEY.slice(1)}":1}`, { '[redacted]': 1 }],
    ['an escaped slash of a body', `["${KEY.replace('/', '\\/')}"]`, ['[redacted]']],
  ] as const) {
    it(`is redacted in ${where}`, () => {
      assert.deepEqual(redactBody(body, redact), expected)
    })
  }

  it('leaves a body readable whose numbers are the key', () => {
    assert.equal(
      redactBody('{"a":7e0,"b":"\\n"}', createKeyRedactor('7')),
      '{"a":[redacted],"b":"\\n"}',
    )
  })
})
