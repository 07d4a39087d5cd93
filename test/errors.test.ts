import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ConfigurationError,
  describeError,
  describeValue,
  InvalidImpressionError,
  toOneLine,
} from '../lib/errors.js'

/** A proxy that throws itself, whatever is done with it. */
function hostileProxy(): object {
  const fail = () => {
    throw proxy
  }
  const handler = Object.fromEntries(
    Object.getOwnPropertyNames(Reflect).map((trap) => [trap, fail]),
  )
  const proxy: object = new Proxy({}, handler)
  return proxy
}

function revokedProxy(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** Any UTF-16 string, including lone surrogates. */
const codeUnits = fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units))

const isSingleLine = (text: string) => !/[\p{Cc}\u2028\u2029]/u.test(text)

/** Characters that reorder the text around them, or that nobody sees. */
const INVISIBLE = [
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'],
  ...['\u00ad', '\u034f', '\u180e', '\u200b', '\u200d', '\u2060', '\u3164', '\ufeff', '\u{e0041}'],
]

describe('describeValue()', () => {
  for (const [value, shown] of [
    [undefined, 'nothing'],
    [null, 'null'],
    ['', '""'],
    ['phone', '"phone"'],
    ['a "quoted" \\ text', '"a \\"quoted\\" \\\\ text"'],
    ['two\nlines', '"two\\nlines"'],
    ['\u001b[31mred\u009b1m\u007f\u2028\u2029', '"\\u001b[31mred\\u009b1m\\u007f\\u2028\\u2029"'],
    [42, '42'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [true, 'true'],
    [42n, 'a bigint'],
    [Symbol('canary'), 'a symbol'],
    [() => 'canary', 'a function'],
    [class Canary {}, 'a function'],
    [['canary'], 'an array'],
    [{ canary: true }, 'an object'],
    [new Date(0), 'an object'],
    [new String('canary'), 'an object'],
    [hostileProxy(), 'an object'],
    [revokedProxy({}), 'an object'],
    [revokedProxy([]), 'an object'],
  ] as const) {
    it(`returns ${shown}`, () => assert.equal(describeValue(value), shown))
  }

  it('cuts off a string after 40 characters and adds its length', () => {
    assert.equal(describeValue('x'.repeat(40)), `"${'x'.repeat(40)}"`)
    assert.equal(describeValue('x'.repeat(41)), `"${'x'.repeat(40)}"… (41 characters)`)
    assert.equal(
      describeValue('x'.repeat(10_000_000)),
      `"${'x'.repeat(40)}"… (10000000 characters)`,
    )
  })

  it('escapes characters that are invisible or reorder text', () => {
    for (const character of INVISIBLE) {
      assert.match(describeValue(`a${character}b`), /^"a(\\u[0-9a-f]{4}){1,2}b"$/)
    }
    assert.equal(describeValue('a\u{e0041}b'), '"a\\udb40\\udc41b"')
  })

  it('does not run code of the value', () => {
    const fail = () => assert.fail('it was called')
    describeValue({ toString: fail, toJSON: fail, valueOf: fail, [Symbol.toPrimitive]: fail })
    describeValue(Object.assign(() => {}, { toString: fail }))
    describeValue(Object.assign([], { toString: fail, toJSON: fail }))
  })

  it('returns a short single line for any value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), codeUnits), (value) => {
        const shown = describeValue(value)
        assert.ok(isSingleLine(shown), shown)
        assert.ok(shown.length < 300)
      }),
    )
  })
})

describe('describeError()', () => {
  for (const [thrown, message] of [
    [new Error('plain'), 'plain'],
    [new TypeError('two\r\nlines'), 'two lines'],
    [new Error(''), ''],
    ['a string', '"a string"'],
    [undefined, 'nothing'],
    [null, 'null'],
    [{ message: 'canary' }, 'an object'],
    [Object.assign(new Error(), { message: 42 }), '42'],
    [Object.assign(new Error(), { message: Symbol('x') }), 'Symbol(x)'],
    [hostileProxy(), 'an error without a message'],
    [revokedProxy(new Error('x')), 'an error without a message'],
    [
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('y')
        },
      }),
      'an error without a message',
    ],
    [
      Object.assign(new Error('x'), {
        message: {
          toString() {
            throw new Error('y')
          },
        },
      }),
      'an error without a message',
    ],
  ] as const) {
    it(`returns ${JSON.stringify(message)}`, () => assert.equal(describeError(thrown), message))
  }

  it('cuts off the message after 200 characters', () => {
    assert.equal(describeError(new Error('x'.repeat(10_000))), `${'x'.repeat(200)}…`)
  })

  it('returns a single line for any thrown value', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => assert.ok(isSingleLine(describeError(thrown)))),
    )
  })
})

describe('toOneLine()', () => {
  it('replaces control characters and line separators', () => {
    assert.equal(toOneLine(' a\r\n[ERROR] b\u2028c\u0085d\u001b[2J '), 'a [ERROR] b c d [2J')
  })

  it('removes characters that are invisible or reorder text', () => {
    for (const character of INVISIBLE) assert.equal(toOneLine(`a${character}b`), 'ab')
  })

  it('keeps letters of every language, and symbols', () => {
    const text = 'Ungültig: ключ, مفتاح, 鍵, 😀'
    assert.equal(toOneLine(text), text)
  })

  it('leaves no half of a surrogate pair where it shortens', () => {
    assert.equal(toOneLine(`${'x'.repeat(199)}😀`), `${'x'.repeat(199)}\ufffd…`)
  })

  it('redacts what can be seen before it shortens it', () => {
    const secret = 's'.repeat(20)
    const redact = (text: string) => text.replaceAll(secret, '[redacted]')
    const hidden = `${'s'.repeat(10)}\u200b${'s'.repeat(10)}`
    assert.equal(toOneLine(`key ${hidden}.`, redact), 'key [redacted].')
    assert.equal(toOneLine('x'.repeat(190) + secret, redact), `${'x'.repeat(190)}[redacted]`)
  })

  it('is as fast for a long text', () => {
    assert.equal(toOneLine('\u202e'.repeat(20_000_000)), '…')
  })
})

describe('InvalidImpressionError', () => {
  it('has the field, what was expected and what was given', () => {
    const error = new InvalidImpressionError('device', "'mobile' or 'desktop'", 'phone')
    assert.equal(error.message, `device: expected 'mobile' or 'desktop', got "phone"`)
    assert.equal(error.name, 'InvalidImpressionError')
    assert.equal(error.field, 'device')
    assert.equal(error.expected, "'mobile' or 'desktop'")
    assert.equal(error.given, 'string')
    assert.ok(error instanceof Error)
    assert.match(error.stack ?? '', /^InvalidImpressionError: device: expected/)
  })

  it('is safe to log, whatever a network puts into it', () => {
    const error = new InvalidImpressionError('slot\u202e', 'one of\n[ERROR] a', '\u200bb')
    assert.equal(error.message, 'slot: expected one of [ERROR] a, got "\\u200bb"')
    assert.deepEqual([error.field, error.expected], ['slot', 'one of [ERROR] a'])
  })

  it('does not keep the value', () => {
    const error = new InvalidImpressionError('placement', 'a string', { canary: 'x' })
    assert.deepEqual(Object.values(error), [
      'InvalidImpressionError',
      'placement',
      'a string',
      'object',
    ])
  })
})

describe('ConfigurationError', () => {
  it('has the name of the package and the address of its section in its message, and a code', () => {
    const error = new ConfigurationError('no-network', 'no network is configured')
    assert.equal(
      error.message,
      'ad-impressions: no network is configured (docs/errors.md#no-network)',
    )
    assert.equal(error.code, 'no-network')
    assert.equal(error.name, 'ConfigurationError')
    assert.match(error.stack ?? '', /^ConfigurationError: ad-impressions: no network/)
  })
})
