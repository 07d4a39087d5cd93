import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../lib/errors.js'
import { impressions } from '../lib/express.js'
import { impressions as koaImpressions } from '../lib/koa.js'
import { consoleLogger } from '../lib/logger.js'
import { builtInNetworks, listBuiltInCalls } from '../lib/networks/built-in-networks.js'
import { apiKeyVariable } from '../lib/networks/built-in-options.js'
import { closient } from '../lib/networks/closient.js'
import { ens } from '../lib/networks/ens.js'
import { resolveOptions } from '../lib/options.js'
import { createTracker } from '../lib/tracker.js'
import { withoutAddress } from './docs-address.js'
import { acme } from './networks/acme.js'
import { type Environment, withEnvironment } from './networks/environment.js'

const network = ens({ apiKey: 'k' })
const CANARY = 'csb_canary'
const SECRET = 'QmFzZTY0IG9mIDMyIHJhbmRvbSBieXRlcyE'

const DEFAULTS = {
  traffic: { bots: 'skip', prefetch: 'skip' },
  dedupe: { max: 100_000, ttlMs: 30 * 60 * 1_000 },
  delivery: {
    maxPending: 100_000,
    timeoutMs: 10 * 1_000,
    maxAgeMs: 60 * 60 * 1_000,
    processes: 1,
  },
  strict: false,
} as const

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

/** The message of the error for invalid options, which bypass the compiler. */
function messageFor(options: unknown): string {
  const error = catchError(() => Reflect.apply(createTracker, undefined, [options]))
  assert.equal(error.code, 'invalid-options')
  assert.ok(!error.message.includes(CANARY), error.message)
  return error.message
}

describe('a wrong option throws an error with its path and what was expected', () => {
  const limits = ['maxPending', 'timeoutMs', 'maxAgeMs', 'processes']
  const cases: [path: string, wrong: unknown[], expected: string][] = [
    [
      'networks',
      [CANARY, network, ens, {}, null, 7],
      `an array of networks, such as [${listBuiltInCalls()}]`,
    ],
    ['networks', [[]], 'at least one network'],
    [
      'networks',
      [[network, ens({ apiKey: 'other' })]],
      'each network once: two have the same name',
    ],
    ['requestId', [CANARY, 7, {}, null, true], 'a function'],
    ['country', ['akamay', 'CloudFlare', 7, null, ['cloudflare'], CANARY], 'a function or one of '],
    ['device', ['mobile', {}, null], 'a function'],
    ['searchQuery', ['q', {}, null], 'a function'],
    ['consent', [true, false, 'yes', null], 'a function'],
    ['traffic', ['skip', null, true, []], 'an object'],
    ['traffic.bots', ['no', true, null], "'skip', 'count' or a function"],
    ['traffic.prefetch', ['no', true, null], 'one of "skip" or "count"'],
    ['dedupe', [100, null, true, []], 'an object'],
    ['dedupe.max', [0, -1, 1.5, '5', Number.NaN, 1e9, null], 'a whole number from 1 to 10000000'],
    [
      'dedupe.ttlMs',
      [0, -1, 1.5, '5', Number.POSITIVE_INFINITY, 366 * 86_400_000],
      'a whole number from 1 to 31536000000',
    ],
    ['delivery', [100, null, true, []], 'an object'],
    ...limits.map((limit): [string, unknown[], string] => [
      `delivery.${limit}`,
      [0, -1, 1.5, '5', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, null],
      'a whole number of at least 1',
    ]),
    [
      'logger',
      [{}, null, 'pino', { warn() {}, error() {} }, { debug: 1, warn: 1, error: 1 }, () => {}],
      'an object with the methods debug, warn and error',
    ],
    ['pageLoadCookie', [7, null, '', 'a b', 'a;b', 'ünï'], 'true, false or the name of a cookie'],
    ['visibility', [CANARY, 7, null, true, []], 'an object'],
    [
      'visibility.secret',
      [
        undefined,
        null,
        7,
        '',
        CANARY,
        'x'.repeat(31),
        [],
        [CANARY],
        [SECRET, CANARY],
        [[SECRET]],
        Buffer.from(SECRET),
        { secret: SECRET },
        'x'.repeat(64),
        '0101'.repeat(10),
        'correct-horse-'.repeat(3).slice(0, 40),
        'please-change-this-before-production-1234',
        'your_secret_goes_here_0123456789abcdef',
        '<a-long-random-secret-of-32-bytes>123456',
        '$(openssl rand -base64 32)0123456789abcdef',
        '\t'.repeat(40),
      ],
      'at least 32 random bytes, such as `openssl rand -base64 32` prints, or a list of these',
    ],
    ['strict', ['yes', 1, null], 'true or false'],
  ]
  for (const [path, values, expected] of cases) {
    for (const [index, value] of values.entries()) {
      it(`${path}, wrong value ${index + 1}: expected ${expected}`, () => {
        const [outer = '', inner] = path.split('.')
        const option = { [outer]: inner === undefined ? value : { [inner]: value } }
        const message = messageFor({ networks: [network], ...option })
        assert.ok(
          message.startsWith(`ad-impressions: createTracker(): ${path}: expected ${expected}`),
          message,
        )
        assert.ok(!message.includes('\n'), 'one problem takes one line')
      })
    }
  }

  it('a missing visibility.secret: asks for the environment variable', () => {
    const visibility = { secret: process.env.NO_SUCH_VARIABLE }
    assert.match(
      messageFor({ networks: [network], visibility }),
      /is its environment variable set\?/,
    )
  })

  const secret = `${SECRET}${CANARY}`

  for (const path of ['', '/', '_visible', '/a/', '//a', '/a b', '/a?b', '/é', '/.', '/a/..', 7]) {
    it(`an invalid visibility.path: ${JSON.stringify(path)}`, () => {
      const message = messageFor({ networks: [network], visibility: { secret, path } })
      assert.match(message, /^ad-impressions: createTracker\(\): visibility\.path: expected a /)
    })
  }

  for (const tokenTtlMs of [0, -1, 1.5, '5', Number.NaN, null]) {
    it(`an invalid visibility.tokenTtlMs: ${tokenTtlMs}`, () => {
      assert.match(
        messageFor({ networks: [network], visibility: { secret, tokenTtlMs } }),
        /visibility\.tokenTtlMs: expected a whole number of at least 1 \(docs/,
      )
    })
  }

  it('a tokenTtlMs that is longer than dedupe.ttlMs', () => {
    for (const [tokenTtlMs, dedupe] of [
      [30 * 60_000 + 1, undefined],
      [1_001, { ttlMs: 1_000 }],
    ]) {
      assert.match(
        messageFor({ networks: [network], dedupe, visibility: { secret, tokenTtlMs } }),
        /visibility\.tokenTtlMs: expected at most dedupe\.ttlMs \(\d+\): a token must not outlive/,
      )
    }
  })

  it('a wrong network, by its index', () => {
    for (const wrong of [
      null,
      ens,
      'ens',
      {},
      { parse() {}, verdict() {} },
      { ...network, name: 7 },
    ]) {
      const message = messageFor({ networks: [network, wrong] })
      const expected = `networks.1: expected a network: ${listBuiltInCalls()} or defineNetwork()`
      assert.ok(withoutAddress(message).endsWith(expected), message)
    }
  })

  it('a misspelt option or CDN, with the name that was meant', () => {
    assert.match(
      messageFor({ networks: [network], loger: console }),
      /loger: there is no such option \(.+\) \(did you mean logger\?\)/,
    )
    assert.match(
      messageFor({ networks: [network], country: 'cloudfare' }),
      /country: expected a function or one of .+, vercel \(did you mean cloudflare\?\)/,
    )
    assert.doesNotMatch(messageFor({ networks: [network], country: CANARY }), /did you mean/)
  })

  it('an unknown option, with a list of the existing ones, at every depth', () => {
    assert.match(
      messageFor({ networks: [network], apiKey: CANARY }),
      /createTracker\(\): apiKey: there is no such option \(there are enabled, networks, requestId, /,
    )
    assert.match(
      messageFor({ networks: [network], dedupe: { ttl: CANARY } }),
      /dedupe\.ttl: there is no such option \(there are max, ttlMs\) \(did you mean ttlMs\?\)/,
    )
    assert.match(
      messageFor({ networks: [network], delivery: { timeout: 5 } }),
      /delivery\.timeout: there is no such option \(there are maxPending, timeoutMs, maxAgeMs, processes\) \(did you mean timeoutMs\?\)/,
    )
  })

  it('all wrong options in one message, one per line', () => {
    const message = messageFor({ strict: CANARY, dedupe: { max: 0, ttl: 1 }, speed: CANARY })
    assert.deepEqual(
      message.split('\n').map((line) => line.replace(/ \(there are .*/, '')),
      [
        'ad-impressions: createTracker(): 4 options are wrong:',
        '  - dedupe.max: expected a whole number from 1 to 10000000',
        '  - dedupe.ttl: there is no such option',
        '  - strict: expected true or false, received string',
        '  - speed: there is no such option',
      ],
    )
  })

  for (const options of [null, CANARY, 7, [], () => {}, true]) {
    it(`options that are not an object: ${typeof options} ${JSON.stringify(options)}`, () => {
      assert.match(messageFor(options), /createTracker\(\): options: expected an object, received /)
    })
  }

  for (const [framework, create] of [
    ['Express', impressions],
    ['Koa', koaImpressions],
  ] as const) {
    it(`also from the middleware for ${framework}`, () => {
      const error = catchError(() => Reflect.apply(create, undefined, [{ strict: CANARY }]))
      assert.match(
        error.message,
        /^ad-impressions: impressions\(\): strict: expected true or false/,
      )
    })

    it(`a tracker together with other options, in ${framework}`, () => {
      const tracker = createTracker({ networks: [network] })
      const error = catchError(() => Reflect.apply(create, undefined, [{ tracker, strict: true }]))
      assert.equal(error.code, 'invalid-options')
      assert.match(
        error.message,
        /strict: expected nothing beside tracker; pass it to createTracker/,
      )
    })

    for (const tracker of [undefined, null, CANARY, {}, () => {}]) {
      it(`an invalid tracker: ${typeof tracker} ${JSON.stringify(tracker)}, in ${framework}`, () => {
        const error = catchError(() => Reflect.apply(create, undefined, [{ tracker }]))
        assert.equal(error.code, 'invalid-options')
        assert.match(withoutAddress(error.message), /expected what createTracker\(\) returns$/)
      })
    }
  }
})

describe('the option visibility', () => {
  const secret = SECRET

  it('is off by default', () => {
    assert.equal(resolveOptions({ networks: [network] }).visibility, undefined)
  })

  it('has the documented defaults', () => {
    const { visibility } = resolveOptions({ networks: [network], visibility: { secret } })
    assert.equal(visibility?.path, '/_visible')
    assert.equal(visibility?.tokenTtlMs, 30 * 60 * 1_000)
    assert.equal(visibility?.secrets.length, 1)
  })

  it('limits tokenTtlMs to dedupe.ttlMs by default', () => {
    const dedupe = { ttlMs: 1_000 }
    const { visibility } = resolveOptions({ networks: [network], dedupe, visibility: { secret } })
    assert.equal(visibility?.tokenTtlMs, 1_000)
  })

  it('accepts a list of secrets, measured in bytes', () => {
    const secrets = ['éàüßøñçêïõåðþæöÿ', secret]
    const { visibility } = resolveOptions({ networks: [network], visibility: { secret: secrets } })
    assert.deepEqual(
      visibility?.secrets.map((key) => key.export().toString()),
      secrets,
    )
  })

  for (const [name, bytes] of [
    ['base64', 24],
    ['base64url', 24],
    ['hex', 16],
  ] as const) {
    it(`accepts random secrets in ${name}`, () => {
      for (let i = 0; i < 200; i += 1) {
        const random = randomBytes(bytes).toString(name)
        resolveOptions({ networks: [network], visibility: { secret: random } })
      }
    })
  }

  for (const path of ['/a', '/a/b-c_d.e~f', '/.well-known/ads', '/...']) {
    it(`accepts the path ${path}`, () => {
      const { visibility } = resolveOptions({ networks: [network], visibility: { secret, path } })
      assert.equal(visibility?.path, path)
    })
  }
})

describe('an option that is not given', () => {
  it('has its default', () => {
    const { traffic, dedupe, delivery, strict, logger, ...rest } = resolveOptions({
      networks: [network],
    })
    assert.deepEqual({ traffic, dedupe, delivery, strict }, DEFAULTS)
    assert.equal(logger, consoleLogger)
    assert.equal(rest.requestId, undefined)
    assert.equal(rest.country, undefined)
    assert.equal(rest.device, undefined)
    assert.equal(rest.searchQuery, undefined)
    assert.equal(rest.consent, undefined)
  })

  it('is the same as undefined, at every depth', () => {
    const resolved = resolveOptions({
      networks: [network],
      requestId: undefined,
      country: undefined,
      device: undefined,
      searchQuery: undefined,
      consent: undefined,
      traffic: { bots: undefined, prefetch: undefined },
      dedupe: { max: undefined, ttlMs: undefined },
      delivery: {
        maxPending: undefined,
        timeoutMs: undefined,
        maxAgeMs: undefined,
        processes: undefined,
      },
      logger: undefined,
      strict: undefined,
    })
    assert.deepEqual(resolved, resolveOptions({ networks: [network] }))
  })

  it('keeps its default beside other options', () => {
    const resolved = resolveOptions({
      networks: [network],
      dedupe: { max: 5 },
      delivery: { timeoutMs: 7 },
    })
    assert.deepEqual(resolved.dedupe, { max: 5, ttlMs: DEFAULTS.dedupe.ttlMs })
    assert.deepEqual(resolved.delivery, { ...DEFAULTS.delivery, timeoutMs: 7 })
  })
})

describe('resolved options', () => {
  it('are frozen at every depth and independent of the input', () => {
    const networks = [network]
    const resolved = resolveOptions({ networks })
    networks.pop()
    assert.deepEqual(resolved.networks, [network])
    for (const part of [
      resolved,
      resolved.networks,
      resolved.traffic,
      resolved.dedupe,
      resolved.delivery,
    ]) {
      assert.ok(Object.isFrozen(part))
    }
  })

  it('accept the limits of a range', () => {
    const { dedupe, delivery } = resolveOptions({
      networks: [network],
      dedupe: { max: 10_000_000, ttlMs: 1 },
      delivery: { maxPending: 1, timeoutMs: 1, maxAgeMs: Number.MAX_SAFE_INTEGER, processes: 1 },
    })
    assert.deepEqual(dedupe, { max: 10_000_000, ttlMs: 1 })
    assert.deepEqual(delivery, {
      maxPending: 1,
      timeoutMs: 1,
      maxAgeMs: Number.MAX_SAFE_INTEGER,
      processes: 1,
    })
  })

  it('accept a logger with inherited methods', () => {
    class Log {
      debug() {}
      warn() {}
      error() {}
    }
    const logger = new Log()
    assert.equal(resolveOptions({ networks: [network], logger }).logger, logger)
  })
})

describe('without the option networks', () => {
  const names = (environment: Environment) =>
    withEnvironment(environment, () => resolveOptions({}).networks.map(({ name }) => name))

  it('uses each network whose key is in the environment', () => {
    assert.deepEqual(names({ ENS_API_KEY: 'a' }), ['ens'])
    assert.deepEqual(names({ CLOSIENT_API_KEY: 'b' }), ['closient'])
    assert.deepEqual(names({ ENS_API_KEY: 'a', CLOSIENT_API_KEY: 'b' }), ['ens', 'closient'])
  })

  it('ignores a key that is empty', () => {
    assert.deepEqual(names({ ENS_API_KEY: '', CLOSIENT_API_KEY: 'b' }), ['closient'])
  })

  it('needs a key, not only a base URL', () => {
    const error = catchError(() => resolveOptions({}), { ENS_BASE_URL: 'https://a.example' })
    assert.equal(error.code, 'no-network')
  })

  it('uses the base URL of the environment', () => {
    const [only] = withEnvironment(
      { ENS_API_KEY: 'a', ENS_BASE_URL: 'http://127.0.0.1:4000/' },
      () => resolveOptions({}).networks,
    )
    assert.equal(only?.baseUrl, 'http://127.0.0.1:4000')
  })

  it('throws an error that says what to do if there is no key', () => {
    for (const create of [createTracker, impressions, koaImpressions]) {
      const error = catchError(() => create())
      assert.equal(error.code, 'no-network')
      const variables = Object.keys(builtInNetworks).map(apiKeyVariable)
      assert.ok(['ENS_API_KEY', 'CLOSIENT_API_KEY'].every((name) => variables.includes(name)))
      assert.equal(
        withoutAddress(error.message),
        `ad-impressions: no network is configured: set ${variables.join(' or ')} in the ` +
          `environment, or pass impressions({ networks: [${listBuiltInCalls('{ apiKey }')}] })`,
      )
    }
  })

  it('names the variable of a wrong key without showing the key', () => {
    const error = catchError(() => createTracker(), { CLOSIENT_API_KEY: `${CANARY}\n` })
    assert.match(error.message, /: CLOSIENT_API_KEY: expected only the key/)
    assert.ok(!error.message.includes(CANARY))
  })
})

describe('with the option networks', () => {
  it('ignores the environment', () => {
    const { networks } = withEnvironment({ ENS_API_KEY: 'a', CLOSIENT_API_KEY: 'b' }, () =>
      resolveOptions({ networks: [acme({ apiKey: 'k' })] }),
    )
    assert.deepEqual(
      networks.map(({ name }) => name),
      ['acme'],
    )
  })

  it('uses any number of networks, in the given order', () => {
    const { networks } = resolveOptions({
      networks: [acme({ apiKey: 'k' }), closient({ apiKey: 'k' }), network],
    })
    assert.deepEqual(
      networks.map(({ name }) => name),
      ['acme', 'closient', 'ens'],
    )
  })
})
