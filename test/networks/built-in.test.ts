import assert from 'node:assert/strict'
import { ConfigurationError, type ConfigurationErrorCode } from '../../lib/errors.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import { type Environment, withEnvironment } from './environment.js'

const FACTORIES = { ens, closient }
const NAMES = ['ens', 'closient'] as const

/** The error that `create` throws with just these variables set. */
function refusal(create: () => unknown, environment: Environment = {}): ConfigurationError {
  try {
    withEnvironment(environment, create)
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    return error
  }
  assert.fail('expected a ConfigurationError')
}

function assertRefused(
  create: () => unknown,
  code: ConfigurationErrorCode,
  message: RegExp,
  environment: Environment = {},
): void {
  const error = refusal(create, environment)
  assert.equal(error.code, code)
  assert.match(error.message, message)
}

for (const name of NAMES) {
  const create = FACTORIES[name]
  const variable = name === 'ens' ? 'ENS_API_KEY' : 'CLOSIENT_API_KEY'
  const urlVariable = name === 'ens' ? 'ENS_BASE_URL' : 'CLOSIENT_BASE_URL'

  describe(`${name}(): the key`, () => {
    const headersOf = (environment: Environment, apiKey?: string) =>
      withEnvironment(environment, () => {
        const network = create({ apiKey })
        return JSON.stringify(network.request([]).headers)
      })

    it('is the one given, before the environment', () => {
      const headers = headersOf({ [variable]: 'from-environment' }, 'given')
      assert.ok(headers.includes('given') && !headers.includes('from-environment'))
    })

    it(`is ${variable}'s where none is given`, () => {
      assert.ok(headersOf({ [variable]: 'from-environment' }).includes('from-environment'))
    })

    it('is asked for where there is none, with what to do', () => {
      assertRefused(
        () => create(),
        'no-network',
        new RegExp(`set ${variable} in the environment or pass ${name}\\(\\{ apiKey \\}\\)`),
      )
    })

    it('is not the empty text', () => {
      assertRefused(() => create({ apiKey: '' }), 'no-network', new RegExp(variable))
      assertRefused(() => create(), 'no-network', new RegExp(variable), { [variable]: '' })
    })

    for (const key of ['Bearer abc', 'abc\n', ' abc', 'a\tb', 'schlüssel', 'a\0b', '\u200babc']) {
      it(`is refused, and not shown, if it cannot be one: ${JSON.stringify(key)}`, () => {
        const given = refusal(() => create({ apiKey: key }))
        assert.equal(given.code, 'invalid-options')
        assert.match(given.message, new RegExp(`${name}\\(\\): apiKey: expected the key alone`))
        assert.ok(!given.message.includes(key))
        // A process's environment holds no NUL.
        if (key.includes('\0')) return
        const set = refusal(() => create(), { [variable]: key })
        assert.match(set.message, new RegExp(`: ${variable}: expected the key alone`))
        assert.ok(!set.message.includes(key))
      })
    }
  })

  describe(`${name}(): the base URL`, () => {
    const baseUrl = (url: string) => create({ apiKey: 'k', baseUrl: url }).baseUrl

    it(`is the one given, else ${urlVariable}'s, else the published one`, () => {
      const made = (url?: string) => create({ apiKey: 'k', baseUrl: url }).baseUrl
      const set: Environment = { [urlVariable]: 'https://set.example' }
      assert.equal(
        withEnvironment(set, () => made('https://given.example')),
        'https://given.example',
      )
      assert.equal(withEnvironment(set, made), 'https://set.example')
      assert.match(withEnvironment({ [urlVariable]: '' }, made), /enslive\.live|closient\.com/)
    })

    for (const [given, resolved] of [
      ['https://a.example', 'https://a.example'],
      ['https://a.example/', 'https://a.example'],
      ['https://a.example/x/y/', 'https://a.example/x/y'],
      ['https://a.example//', 'https://a.example'],
      ['https://a.example/?', 'https://a.example'],
      ['https://A.EXAMPLE:443/X', 'https://a.example/X'],
      ['https://a.example:8443', 'https://a.example:8443'],
      ['http://localhost:3000', 'http://localhost:3000'],
      ['http://127.0.0.1', 'http://127.0.0.1'],
      ['http://127.8.9.1:80/x', 'http://127.8.9.1/x'],
      ['http://[::1]:8080', 'http://[::1]:8080'],
    ] as const) {
      it(`may be ${given}`, () => assert.equal(baseUrl(given), resolved))
    }

    for (const url of [
      'http://ads.example.com',
      'http://127.0.0.1.evil.example',
      'http://localhost.evil.example',
      'http://128.0.0.1',
      'http://0.0.0.0',
      'http://10.0.0.1',
      'http://[::2]',
    ]) {
      it(`is refused where the key would travel in the clear: ${url}`, () => {
        assertRefused(
          () => baseUrl(url),
          'insecure-base-url',
          /baseUrl: expected https, got http:\/\/.+: the key would travel in the clear$/,
        )
      })
    }

    for (const url of [
      '',
      'ads.example.com',
      '/path',
      'ftp://a.example',
      'file:///etc',
      'https://',
    ]) {
      it(`is refused if it is no URL of HTTP: ${JSON.stringify(url)}`, () => {
        assertRefused(() => baseUrl(url), 'invalid-options', /baseUrl: expected an absolute URL/)
      })
    }

    for (const url of [
      'https://user@a.example',
      'https://user:s3cret@a.example',
      'https://a.example?key=s3cret',
      'https://a.example#s3cret',
    ]) {
      it(`is refused, and its secrets not shown: ${url}`, () => {
        const error = refusal(() => baseUrl(url))
        assert.equal(error.code, 'invalid-options')
        assert.match(error.message, /without user, password, query and fragment$/)
        assert.doesNotMatch(error.message, /s3cret|user@/)
      })
    }

    it(`is blamed on ${urlVariable} where that holds the wrong one`, () => {
      assertRefused(
        () => create({ apiKey: 'k' }),
        'insecure-base-url',
        new RegExp(`: ${urlVariable}: expected https`),
        { [urlVariable]: 'http://ads.example.com' },
      )
    })
  })

  describe(`${name}(): the other options`, () => {
    const most = name === 'ens' ? 128 : 8
    const connect = (connections: number) => create({ apiKey: 'k', connections }).connections

    it(`allow 1 to ${most} connections, and take ${most} by default`, () => {
      assert.equal(create({ apiKey: 'k' }).connections, most)
      assert.equal(create({ apiKey: 'k', connections: undefined }).connections, most)
      assert.equal(connect(1), 1)
      assert.equal(connect(most), most)
      for (const wrong of [0, -1, 1.5, most + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
        assertRefused(
          () => connect(wrong),
          'invalid-options',
          new RegExp(`connections: expected a whole number from 1 to ${most}$`),
        )
      }
    })

    it('say when impressions leave, and whether uncertain ones are sent again', () => {
      const network = create({ apiKey: 'k', flush: 'finish', onUncertain: 'resend' })
      assert.equal(network.flush, 'finish')
      assert.equal(network.onUncertain, 'resend')
      assert.equal(create({ apiKey: 'k', flush: 'immediate' }).flush, 'immediate')
    })

    it('are named with what was expected, all in one message, and never with their values', () => {
      const wrong = { apiKey: ['csb_canary'], flush: 'csb_canary', speed: 'csb_canary' }
      const error = refusal(() => Reflect.apply(create, undefined, [wrong]))
      assert.equal(error.code, 'invalid-options')
      assert.match(
        error.message,
        new RegExp(`^ad-impressions: ${name}\\(\\): 3 options are wrong:`),
      )
      assert.match(error.message, /apiKey: expected a string, received array/)
      assert.match(error.message, /flush: expected one of "immediate" or "finish"/)
      assert.match(error.message, /speed: there is no such option \(there are apiKey, baseUrl, /)
      assert.ok(!error.message.includes('csb_canary'))
    })

    for (const wrong of [null, 'csb_canary', 42, [], () => {}]) {
      it(`are an object, not ${typeof wrong} ${JSON.stringify(wrong)}`, () => {
        const error = refusal(() => Reflect.apply(create, undefined, [wrong]))
        assert.match(error.message, /options: expected an object, received /)
        assert.ok(!error.message.includes('csb_canary'))
      })
    }
  })
}

describe('closient(): maxBatch', () => {
  it('is 1 to 1,000, and 1,000 by default', () => {
    assert.equal(closient({ apiKey: 'k' }).maxBatch, 1_000)
    assert.equal(closient({ apiKey: 'k', maxBatch: 1 }).maxBatch, 1)
    for (const maxBatch of [0, 1_001, 2.5]) {
      assertRefused(
        () => closient({ apiKey: 'k', maxBatch }),
        'invalid-options',
        /maxBatch: expected a whole number from 1 to 1000$/,
      )
    }
  })

  it("is not ENS's, which has no batches", () => {
    const error = refusal(() => Reflect.apply(ens, undefined, [{ apiKey: 'k', maxBatch: 2 }]))
    assert.match(error.message, /maxBatch: there is no such option/)
  })
})
