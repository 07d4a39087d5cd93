import assert from 'node:assert/strict'
import { ConfigurationError, type ConfigurationErrorCode } from '../../lib/errors.js'
import { builtInNetworks } from '../../lib/networks/built-in-networks.js'
import { apiKeyVariable, baseUrlVariable } from '../../lib/networks/built-in-options.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import { createTracker } from '../../lib/tracker.js'
import { withoutAddress } from '../docs-address.js'
import { type Environment, withEnvironment } from './environment.js'
import { builtInSamples, findSamples } from './samples.js'

/** The error that `create` throws with only these variables set. */
function catchError(create: () => unknown, environment: Environment = {}): ConfigurationError {
  try {
    withEnvironment(environment, create)
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    return error
  }
  assert.fail('expected a ConfigurationError')
}

function assertThrows(
  create: () => unknown,
  code: ConfigurationErrorCode,
  message: RegExp,
  environment: Environment = {},
): void {
  const error = catchError(create, environment)
  assert.equal(error.code, code)
  assert.match(withoutAddress(error.message), message)
}

for (const [name, create] of Object.entries(builtInNetworks)) {
  const samples = findSamples(builtInSamples, name)
  const variable = apiKeyVariable(name)
  const urlVariable = baseUrlVariable(name)

  describe(`${name}({ apiKey })`, () => {
    const readHeaders = (environment: Environment, apiKey?: string) =>
      withEnvironment(environment, () => {
        const network = create({ apiKey })
        return JSON.stringify(network.request([]).headers)
      })

    it('takes precedence over the environment', () => {
      const headers = readHeaders({ [variable]: 'from-environment' }, 'given')
      assert.ok(headers.includes('given') && !headers.includes('from-environment'))
    })

    it(`defaults to ${variable}`, () => {
      assert.ok(readHeaders({ [variable]: 'from-environment' }).includes('from-environment'))
    })

    it('is required; the error says how to set it', () => {
      assertThrows(
        () => create(),
        'no-network',
        new RegExp(`set ${variable} in the environment or pass ${name}\\(\\{ apiKey \\}\\)`),
      )
    })

    it('must not be empty', () => {
      assertThrows(() => create({ apiKey: '' }), 'no-network', new RegExp(variable))
      assertThrows(() => create(), 'no-network', new RegExp(variable), { [variable]: '' })
    })

    for (const key of ['Bearer abc', 'abc\n', ' abc', 'a\tb', 'schlüssel', 'a\0b', '\u200babc']) {
      it(`rejects a malformed key without showing it: ${JSON.stringify(key)}`, () => {
        const fromOption = catchError(() => create({ apiKey: key }))
        assert.equal(fromOption.code, 'invalid-options')
        assert.match(fromOption.message, new RegExp(`${name}\\(\\): apiKey: expected only the key`))
        assert.ok(!fromOption.message.includes(key))
        // An environment variable cannot contain NUL.
        if (key.includes('\0')) return
        const fromEnvironment = catchError(() => create(), { [variable]: key })
        assert.match(fromEnvironment.message, new RegExp(`: ${variable}: expected only the key`))
        assert.ok(!fromEnvironment.message.includes(key))
      })
    }
  })

  describe(`${name}({ baseUrl })`, () => {
    const baseUrl = (url: string) => create({ apiKey: 'k', baseUrl: url }).baseUrl

    it(`defaults to ${urlVariable}, then to the published host`, () => {
      const resolve = (url?: string) => create({ apiKey: 'k', baseUrl: url }).baseUrl
      const environment: Environment = { [urlVariable]: 'https://set.example' }
      assert.equal(
        withEnvironment(environment, () => resolve('https://given.example')),
        'https://given.example',
      )
      assert.equal(withEnvironment(environment, resolve), 'https://set.example')
      assert.equal(withEnvironment({ [urlVariable]: '' }, resolve), samples.publishedHost)
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
      it(`accepts ${given}`, () => assert.equal(baseUrl(given), resolved))
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
      it(`rejects a URL to which the key would be sent unencrypted: ${url}`, () => {
        assertThrows(
          () => baseUrl(url),
          'insecure-base-url',
          /baseUrl: expected https, got http:\/\/.+: the API key would be sent unencrypted$/,
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
      it(`rejects what is not an absolute HTTP URL: ${JSON.stringify(url)}`, () => {
        assertThrows(() => baseUrl(url), 'invalid-options', /baseUrl: expected an absolute URL/)
      })
    }

    for (const url of [
      'https://user@a.example',
      'https://user:s3cret@a.example',
      'https://a.example?key=s3cret',
      'https://a.example#s3cret',
    ]) {
      it(`rejects credentials, query and fragment without showing them: ${url}`, () => {
        const error = catchError(() => baseUrl(url))
        assert.equal(error.code, 'invalid-options')
        assert.match(withoutAddress(error.message), /without user, password, query and fragment$/)
        assert.doesNotMatch(error.message, /s3cret|user@/)
      })
    }

    it(`names ${urlVariable} if its value is wrong`, () => {
      assertThrows(
        () => create({ apiKey: 'k' }),
        'insecure-base-url',
        new RegExp(`: ${urlVariable}: expected https`),
        { [urlVariable]: 'http://ads.example.com' },
      )
    })
  })

  describe(`${name}(): the other options`, () => {
    const most = samples.maxConnections
    const connect = (connections: number) => create({ apiKey: 'k', connections }).connections

    it(`allow 1 to ${most} connections; the default is ${most}`, () => {
      assert.equal(create({ apiKey: 'k' }).connections, most)
      assert.equal(create({ apiKey: 'k', connections: undefined }).connections, most)
      assert.equal(connect(1), 1)
      assert.equal(connect(most), most)
      for (const wrong of [0, -1, 1.5, most + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
        assertThrows(
          () => connect(wrong),
          'invalid-options',
          new RegExp(`connections: expected a whole number from 1 to ${most}$`),
        )
      }
    })

    it('set flush and onUncertain', () => {
      const network = create({ apiKey: 'k', flush: 'finish', onUncertain: 'resend' })
      assert.equal(network.flush, 'finish')
      assert.equal(network.onUncertain, 'resend')
      assert.equal(create({ apiKey: 'k', flush: 'immediate' }).flush, 'immediate')
    })

    it('are all named in one message if wrong, without their values', () => {
      const wrong = { apiKey: ['csb_canary'], flush: 'csb_canary', speed: 'csb_canary' }
      const error = catchError(() => Reflect.apply(create, undefined, [wrong]))
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
      it(`must be an object, not ${typeof wrong} ${JSON.stringify(wrong)}`, () => {
        const error = catchError(() => Reflect.apply(create, undefined, [wrong]))
        assert.match(error.message, /options: expected an object, received /)
        assert.ok(!error.message.includes('csb_canary'))
      })
    }
  })
}

describe('closient({ maxBatch })', () => {
  it('is 1 to 1,000; the default is 1,000', () => {
    assert.equal(closient({ apiKey: 'k' }).maxBatch, 1_000)
    assert.equal(closient({ apiKey: 'k', maxBatch: 1 }).maxBatch, 1)
    for (const maxBatch of [0, 1_001, 2.5]) {
      assertThrows(
        () => closient({ apiKey: 'k', maxBatch }),
        'invalid-options',
        /maxBatch: expected a whole number from 1 to 1000$/,
      )
    }
  })

  it('does not exist for ENS, which has no batches', () => {
    const error = catchError(() => Reflect.apply(ens, undefined, [{ apiKey: 'k', maxBatch: 2 }]))
    assert.match(error.message, /maxBatch: there is no such option/)
  })
})

describe('a key of the wrong network', () => {
  it('is refused by ens() if it begins with csb_, from wherever it comes', () => {
    const apiKey = 'csb_body_sum'
    for (const [environment, option] of [
      [{}, apiKey],
      [{ ENS_API_KEY: apiKey }, undefined],
      [{ ENS_BASE_URL: 'http://127.0.0.1:8080' }, apiKey],
    ] as const) {
      const error = catchError(() => withEnvironment(environment, () => ens({ apiKey: option })))
      assert.equal(error.code, 'invalid-options')
      assert.match(error.message, /ens\(\): apiKey: expected a key of ENS/)
      assert.ok(!error.message.includes('body'))
    }
  })

  it('is accepted by ens() if it only contains csb_', () => {
    withEnvironment({}, () => ens({ apiKey: 'x-csb_body' }))
  })

  /** What a tracker with this Closient network logs when it is created. */
  function logLines(options: { apiKey: string; baseUrl?: string }): string[] {
    const lines: string[] = []
    const add = (_fields: object, message: string) => void lines.push(message)
    const networks = withEnvironment({}, () => [closient(options)])
    createTracker({ networks, logger: { debug: add, warn: add, error: add } })
    return lines
  }

  it('is warned about by closient() at the published host if it does not begin with csb_', () => {
    for (const baseUrl of [
      undefined,
      'https://www.closient.com',
      'https://WWW.closient.com:443/x/',
    ]) {
      const lines = logLines({ apiKey: 'canary-key', ...(baseUrl !== undefined && { baseUrl }) })
      assert.equal(lines.length, 1)
      assert.match(
        lines[0] ?? '',
        /^ad-impressions: closient: the API key does not begin with csb_/,
      )
      assert.ok(!lines[0]?.includes('canary'))
    }
  })

  it('is not warned about by closient() at another base URL, nor is a key of Closient', () => {
    assert.deepEqual(logLines({ apiKey: 'k', baseUrl: 'https://proxy.example' }), [])
    assert.deepEqual(logLines({ apiKey: 'k', baseUrl: 'http://127.0.0.1:8080' }), [])
    assert.deepEqual(logLines({ apiKey: 'csb_body_sum' }), [])
  })
})
