import assert from 'node:assert/strict'
import { ConfigurationError } from '../lib/errors.js'
import { impressions } from '../lib/express.js'
import { impressions as koaImpressions } from '../lib/koa.js'
import { consoleLogger } from '../lib/logger.js'
import { closient } from '../lib/networks/closient.js'
import { ens } from '../lib/networks/ens.js'
import { DEFAULTS, resolveOptions } from '../lib/options.js'
import { createTracker } from '../lib/tracker.js'
import { acme } from './networks/acme.js'
import { type Environment, withEnvironment } from './networks/environment.js'

const network = ens({ apiKey: 'k' })
const CANARY = 'csb_canary'

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

/** What is said of options that no compiler has seen. */
function complaint(options: unknown): string {
  const error = refusal(() => Reflect.apply(createTracker, undefined, [options]))
  assert.equal(error.code, 'invalid-options')
  assert.ok(!error.message.includes(CANARY), error.message)
  return error.message
}

describe('a wrong option is refused with its path and what was expected', () => {
  const limits = ['maxPending', 'timeoutMs', 'maxAgeMs']
  const cases: [path: string, wrong: unknown[], expected: string][] = [
    ['networks', [CANARY, network, ens, {}, null, 7], 'an array of networks, such as [ens(), clos'],
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
    ['dedupe.ttlMs', [0, -1, 1.5, '5', Number.POSITIVE_INFINITY], 'a whole number of at least 1'],
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
        ['x'.repeat(32), CANARY],
        [['x'.repeat(32)]],
        Buffer.from('x'.repeat(32)),
        { secret: 'x'.repeat(32) },
      ],
      'at least 32 bytes, such as `openssl rand -base64 32` prints, or a list of these',
    ],
    ['strict', ['yes', 1, null], 'true or false'],
  ]
  for (const [path, values, expected] of cases) {
    for (const [index, value] of values.entries()) {
      it(`${path}, wrong value ${index + 1}: expected ${expected}`, () => {
        const [outer = '', inner] = path.split('.')
        const option = { [outer]: inner === undefined ? value : { [inner]: value } }
        const message = complaint({ networks: [network], ...option })
        assert.ok(
          message.startsWith(`ad-impressions: createTracker(): ${path}: expected ${expected}`),
          message,
        )
        assert.ok(!message.includes('\n'), 'one problem is one line')
      })
    }
  }

  const secret = CANARY.repeat(4)

  for (const path of ['', '/', '_visible', '/a/', '//a', '/a b', '/a?b', '/é', '/.', '/a/..', 7]) {
    it(`visibility.path that is none: ${JSON.stringify(path)}`, () => {
      const message = complaint({ networks: [network], visibility: { secret, path } })
      assert.match(message, /^ad-impressions: createTracker\(\): visibility\.path: expected a /)
    })
  }

  for (const tokenTtlMs of [0, -1, 1.5, '5', Number.NaN, null]) {
    it(`visibility.tokenTtlMs that is none: ${tokenTtlMs}`, () => {
      assert.match(
        complaint({ networks: [network], visibility: { secret, tokenTtlMs } }),
        /visibility\.tokenTtlMs: expected a whole number of at least 1$/,
      )
    })
  }

  it('a token that would outlive what refuses its replay', () => {
    for (const [tokenTtlMs, dedupe] of [
      [30 * 60_000 + 1, undefined],
      [1_001, { ttlMs: 1_000 }],
    ]) {
      assert.match(
        complaint({ networks: [network], dedupe, visibility: { secret, tokenTtlMs } }),
        /visibility\.tokenTtlMs: expected at most dedupe\.ttlMs \(\d+\): a token must not outlive/,
      )
    }
  })

  it('a network by its place', () => {
    for (const wrong of [
      null,
      ens,
      'ens',
      {},
      { parse() {}, verdict() {} },
      { ...network, name: 7 },
    ]) {
      assert.match(
        complaint({ networks: [network, wrong] }),
        /networks\.1: expected a network: ens\(\), closient\(\) or defineNetwork\(\)$/,
      )
    }
  })

  it('an option that there is not, also inside another one, with those that there are', () => {
    assert.match(
      complaint({ networks: [network], apiKey: CANARY }),
      /createTracker\(\): apiKey: there is no such option \(there are networks, requestId, country, /,
    )
    assert.match(
      complaint({ networks: [network], dedupe: { ttl: CANARY } }),
      /dedupe\.ttl: there is no such option \(there are max, ttlMs\)$/,
    )
    assert.match(
      complaint({ networks: [network], delivery: { timeout: 5 } }),
      /delivery\.timeout: there is no such option \(there are maxPending, timeoutMs, maxAgeMs\)$/,
    )
  })

  it('all of them in one message, a line each', () => {
    const message = complaint({ strict: CANARY, dedupe: { max: 0, ttl: 1 }, speed: CANARY })
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
    it(`options that are none: ${typeof options} ${JSON.stringify(options)}`, () => {
      assert.match(complaint(options), /createTracker\(\): options: expected an object, received /)
    })
  }

  for (const [framework, create] of [
    ['Express', impressions],
    ['Koa', koaImpressions],
  ] as const) {
    it(`by the middleware for ${framework} as well`, () => {
      const error = refusal(() => Reflect.apply(create, undefined, [{ strict: CANARY }]))
      assert.match(
        error.message,
        /^ad-impressions: impressions\(\): strict: expected true or false/,
      )
    })

    it(`a tracker with other options beside it, in ${framework}`, () => {
      const tracker = createTracker({ networks: [network] })
      const error = refusal(() => Reflect.apply(create, undefined, [{ tracker, strict: true }]))
      assert.equal(error.code, 'invalid-options')
      assert.match(
        error.message,
        /strict: expected nothing beside tracker; give it to createTracker/,
      )
    })

    for (const tracker of [undefined, null, CANARY, {}, () => {}]) {
      it(`a tracker that is none: ${typeof tracker} ${JSON.stringify(tracker)}, in ${framework}`, () => {
        const error = refusal(() => Reflect.apply(create, undefined, [{ tracker }]))
        assert.equal(error.code, 'invalid-options')
        assert.match(error.message, /tracker: expected what createTracker\(\) returns$/)
      })
    }
  }
})

describe('the option visibility', () => {
  const secret = 'x'.repeat(32)

  it('is off unless it is set', () => {
    assert.equal(resolveOptions({ networks: [network] }).visibility, undefined)
  })

  it('has the documented defaults', () => {
    const { visibility } = resolveOptions({ networks: [network], visibility: { secret } })
    assert.equal(visibility?.path, '/_visible')
    assert.equal(visibility?.tokenTtlMs, 30 * 60 * 1_000)
    assert.equal(visibility?.secrets.length, 1)
  })

  it('has tokens expire no later than page loads are forgotten', () => {
    const dedupe = { ttlMs: 1_000 }
    const { visibility } = resolveOptions({ networks: [network], dedupe, visibility: { secret } })
    assert.equal(visibility?.tokenTtlMs, 1_000)
  })

  it('takes a list of secrets, in bytes not characters', () => {
    const secrets = ['é'.repeat(16), secret]
    const { visibility } = resolveOptions({ networks: [network], visibility: { secret: secrets } })
    assert.deepEqual(
      visibility?.secrets.map((key) => key.export().toString()),
      secrets,
    )
  })

  for (const path of ['/a', '/a/b-c_d.e~f', '/.well-known/ads', '/...']) {
    it(`takes the path ${path}`, () => {
      const { visibility } = resolveOptions({ networks: [network], visibility: { secret, path } })
      assert.equal(visibility?.path, path)
    })
  }
})

describe('without an option', () => {
  it('the documented defaults hold', () => {
    // DESIGN 3.1.
    assert.deepEqual(DEFAULTS, {
      traffic: { bots: 'skip', prefetch: 'skip' },
      dedupe: { max: 100_000, ttlMs: 30 * 60 * 1_000 },
      delivery: { maxPending: 100_000, timeoutMs: 10 * 1_000, maxAgeMs: 60 * 60 * 1_000 },
      strict: false,
    })
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

  it('it is as with undefined, at every depth', () => {
    const said = resolveOptions({
      networks: [network],
      requestId: undefined,
      country: undefined,
      device: undefined,
      searchQuery: undefined,
      consent: undefined,
      traffic: { bots: undefined, prefetch: undefined },
      dedupe: { max: undefined, ttlMs: undefined },
      delivery: { maxPending: undefined, timeoutMs: undefined, maxAgeMs: undefined },
      logger: undefined,
      strict: undefined,
    })
    assert.deepEqual(said, resolveOptions({ networks: [network] }))
  })

  it('the others keep theirs', () => {
    const said = resolveOptions({
      networks: [network],
      dedupe: { max: 5 },
      delivery: { timeoutMs: 7 },
    })
    assert.deepEqual(said.dedupe, { max: 5, ttlMs: DEFAULTS.dedupe.ttlMs })
    assert.deepEqual(said.delivery, { ...DEFAULTS.delivery, timeoutMs: 7 })
  })
})

describe('resolved options', () => {
  it('are frozen, at every depth, and independent of what was given', () => {
    const networks = [network]
    const said = resolveOptions({ networks })
    networks.pop()
    assert.deepEqual(said.networks, [network])
    for (const part of [said, said.networks, said.traffic, said.dedupe, said.delivery]) {
      assert.ok(Object.isFrozen(part))
    }
  })

  it('take a boundary as it is', () => {
    const { dedupe, delivery } = resolveOptions({
      networks: [network],
      dedupe: { max: 10_000_000, ttlMs: 1 },
      delivery: { maxPending: 1, timeoutMs: 1, maxAgeMs: Number.MAX_SAFE_INTEGER },
    })
    assert.deepEqual(dedupe, { max: 10_000_000, ttlMs: 1 })
    assert.deepEqual(delivery, { maxPending: 1, timeoutMs: 1, maxAgeMs: Number.MAX_SAFE_INTEGER })
  })

  it('take a logger of a class, whose methods are inherited', () => {
    class Log {
      debug() {}
      warn() {}
      error() {}
    }
    const logger = new Log()
    assert.equal(resolveOptions({ networks: [network], logger }).logger, logger)
  })
})

describe('without networks', () => {
  const names = (environment: Environment) =>
    withEnvironment(environment, () => resolveOptions({}).networks.map(({ name }) => name))

  it('each whose key is in the environment is taken', () => {
    assert.deepEqual(names({ ENS_API_KEY: 'a' }), ['ens'])
    assert.deepEqual(names({ CLOSIENT_API_KEY: 'b' }), ['closient'])
    assert.deepEqual(names({ ENS_API_KEY: 'a', CLOSIENT_API_KEY: 'b' }), ['ens', 'closient'])
  })

  it('a key that is set and empty is none', () => {
    assert.deepEqual(names({ ENS_API_KEY: '', CLOSIENT_API_KEY: 'b' }), ['closient'])
  })

  it('a base URL alone makes no network', () => {
    const error = refusal(() => resolveOptions({}), { ENS_BASE_URL: 'https://a.example' })
    assert.equal(error.code, 'no-network')
  })

  it('each calls the base URL of the environment', () => {
    const [only] = withEnvironment(
      { ENS_API_KEY: 'a', ENS_BASE_URL: 'http://127.0.0.1:4000/' },
      () => resolveOptions({}).networks,
    )
    assert.equal(only?.baseUrl, 'http://127.0.0.1:4000')
  })

  it('and without a key it is said what to do', () => {
    for (const create of [createTracker, impressions, koaImpressions]) {
      const error = refusal(() => create())
      assert.equal(error.code, 'no-network')
      assert.equal(
        error.message,
        'ad-impressions: no network is configured: set ENS_API_KEY or CLOSIENT_API_KEY in the ' +
          'environment, or pass impressions({ networks: [ens({ apiKey }), closient({ apiKey })] })',
      )
    }
  })

  it('a wrong key is named by its variable, and not shown', () => {
    const error = refusal(() => createTracker(), { CLOSIENT_API_KEY: `${CANARY}\n` })
    assert.match(error.message, /: CLOSIENT_API_KEY: expected the key alone/)
    assert.ok(!error.message.includes(CANARY))
  })
})

describe('with networks', () => {
  it('the environment adds none', () => {
    const { networks } = withEnvironment({ ENS_API_KEY: 'a', CLOSIENT_API_KEY: 'b' }, () =>
      resolveOptions({ networks: [acme({ apiKey: 'k' })] }),
    )
    assert.deepEqual(
      networks.map(({ name }) => name),
      ['acme'],
    )
  })

  it('any number may be told, in the order given', () => {
    const { networks } = resolveOptions({
      networks: [acme({ apiKey: 'k' }), closient({ apiKey: 'k' }), network],
    })
    assert.deepEqual(
      networks.map(({ name }) => name),
      ['acme', 'closient', 'ens'],
    )
  })
})
