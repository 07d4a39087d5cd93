import assert from 'node:assert/strict'
import { ConfigurationError } from '../../lib/errors.js'
import { defineNetwork, isNetwork } from '../../lib/networks/define-network.js'
import type { Fields, NetworkDefinition } from '../../lib/networks/network.js'
import { createTracker } from '../../lib/tracker.js'
import { withoutAddress } from '../docs-address.js'
import { acme } from './acme.js'
import { answer } from './answer.js'
import { viewer } from './viewer.js'

const minimal: NetworkDefinition<Fields> = {
  name: 'acme',
  baseUrl: 'https://ads.acme.example',
  fields: ['slot'],
  parse: (fields) => ({ campaignId: String(fields.campaignId), item: fields }),
  request: (items) => ({ method: 'POST', path: '/', headers: {}, body: JSON.stringify(items) }),
}

function catchError(definition: object): ConfigurationError {
  try {
    Reflect.apply(defineNetwork, undefined, [definition])
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    return error
  }
  assert.fail('expected a ConfigurationError')
}

describe('defineNetwork()', () => {
  it('fills in the defaults of a definition', () => {
    const { match, parse, request, verdict, connectionOptions, ...rest } = defineNetwork(minimal)
    assert.deepEqual(rest, {
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: ['slot'],
      flush: 'immediate',
      onUncertain: 'drop',
      connections: 128,
      maxBatch: 1,
      mixesBatchKeys: false,
      windows: [],
      warnings: [],
    })
    assert.deepEqual(connectionOptions(), { proxy: undefined, tls: undefined })
    assert.equal(match({}), 'likely')
    assert.deepEqual(verdict(answer(204)), {
      kind: 'delivered',
      reason: 'http-204: the network accepted it',
    })
    assert.deepEqual(parse({ campaignId: 1 }, viewer()).campaignId, '1')
    assert.equal(request([{}]).body, '[{}]')
  })

  it('treats undefined as not given', () => {
    const network = defineNetwork({ ...minimal, flush: undefined, connections: undefined })
    assert.equal(network.flush, 'immediate')
    assert.equal(network.connections, 128)
  })

  it('calls the methods of a class instance on that instance', () => {
    class Acme implements NetworkDefinition<string> {
      readonly name = 'acme'
      readonly baseUrl = 'https://ads.acme.example'
      readonly fields = []
      readonly #key = 'k'
      parse({ campaignId }: Fields) {
        return { campaignId: String(campaignId), item: this.name }
      }
      request(items: readonly string[]) {
        const headers = { authorization: this.#key }
        return { method: 'POST', path: '/', headers, body: items.join() } as const
      }
    }
    const { parse, request } = defineNetwork(new Acme())
    const { item } = parse({ campaignId: 1 }, viewer())
    assert.deepEqual(request([item]), {
      method: 'POST',
      path: '/',
      headers: { authorization: 'k' },
      body: 'acme',
    })
  })

  it('is not affected by later changes to the definition', () => {
    const fields = ['slot']
    const network = defineNetwork({ ...minimal, fields })
    fields.push('size')
    assert.deepEqual(network.fields, ['slot'])
  })

  for (const result of [
    undefined,
    null,
    42,
    {},
    { campaignId: {}, item: 1 },
    { campaignId: 'a', batchKey: 7, item: 1 },
    Promise.resolve({ campaignId: 'a', item: 1 }),
  ]) {
    it(`throws if parse returns ${JSON.stringify(result)}`, () => {
      const definition = Object.assign({ ...minimal }, { parse: () => result })
      const network = Reflect.apply(defineNetwork, undefined, [definition])
      assert.throws(
        () => network.parse({}, viewer()),
        /parse\(\) returned no \{ campaignId, item \}/,
      )
    })
  }

  it('survives async functions that fail', async () => {
    const fail = async () => {
      throw new Error('no database')
    }
    const functions = { match: fail, parse: fail, request: fail, verdict: fail }
    const network = Reflect.apply(defineNetwork, undefined, [{ ...minimal, ...functions }])
    const unhandled: unknown[] = []
    const listen = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    try {
      assert.throws(() => network.parse({}, viewer()), TypeError)
      network.match({})
      network.request([1])
      network.verdict({ status: 200, headers: {}, body: '', atMs: 0 })
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('unhandledRejection', listen)
    }
    assert.deepEqual(unhandled, [])
  })

  it('names everything that is wrong with a definition', () => {
    const error = catchError({
      name: 'Acme!',
      baseUrl: 7,
      fields: 'slot',
      parse: 1,
      apiKey: 'canary',
    })
    assert.equal(error.code, 'invalid-network')
    for (const part of [
      'defineNetwork(): 6 options are wrong:',
      'name: expected a short lower-case name such as "acme"',
      'baseUrl: expected a string, received number',
      'fields: expected an array, received string',
      'parse: expected a function',
      'request: expected a function',
      'apiKey: there is no such option',
    ]) {
      assert.ok(error.message.includes(part), `${part} in ${error.message}`)
    }
    assert.ok(!error.message.includes('canary'))
  })

  for (const name of ['', 'A', '1a', 'a b', 'a:b', 'ünï', 'x'.repeat(33), 'unknown', '__proto__']) {
    it(`rejects the name ${JSON.stringify(name)}`, () => {
      assert.match(catchError({ ...minimal, name }).message, /name: expected /)
    })
  }

  it('rejects a base URL that is not https, naming the network', () => {
    const error = catchError({ ...minimal, baseUrl: 'http://ads.acme.example/path' })
    assert.equal(error.code, 'insecure-base-url')
    assert.match(error.message, /baseUrl of acme: expected https, got http:\/\/ads\.acme\.example:/)
  })

  for (const [option, wrong, expected] of [
    ['connections', 0, 'a whole number from 1 to 1024'],
    ['connections', 1_025, 'a whole number from 1 to 1024'],
    ['maxBatch', 0, 'a whole number from 1 to 100000'],
    ['maxBatch', 100_001, 'a whole number from 1 to 100000'],
    ['flush', 'later', 'one of "immediate" or "finish"'],
    ['onUncertain', 'ignore', 'one of "drop" or "resend"'],
    ['windows', 300, 'an array, received number'],
    ['fields', [1], 'a string, received number'],
    ['verdict', 'x', 'a function'],
    ['match', 'x', 'a function'],
  ] as const) {
    it(`rejects ${option}: ${JSON.stringify(wrong)}`, () => {
      const { message } = catchError({ ...minimal, [option]: wrong })
      assert.ok(message.includes(option) && message.includes(`expected ${expected}`), message)
    })
  }

  it('has warnings for the tracker to log', () => {
    const lines: string[] = []
    const add = (_fields: object, message: string) => void lines.push(withoutAddress(message))
    const network = defineNetwork({ ...minimal, warnings: ['a is deprecated', 'b is missing'] })
    createTracker({ networks: [network], logger: { debug: add, warn: add, error: add } })
    assert.deepEqual(lines, [
      'ad-impressions: acme: a is deprecated',
      'ad-impressions: acme: b is missing',
    ])
  })

  it('names the path to a wrong rate limit', () => {
    const windows = [
      { limit: 300, windowMs: 60_000 },
      { limit: 0, windowMs: 1 },
    ]
    assert.match(
      withoutAddress(catchError({ ...minimal, windows }).message),
      /windows\.1\.limit: expected a whole number of at least 1$/,
    )
  })
})

describe('isNetwork()', () => {
  it('accepts what defineNetwork returns', () => {
    assert.ok(isNetwork(acme({ apiKey: 'k' })))
    assert.ok(isNetwork(defineNetwork(minimal)))
  })

  for (const [title, other] of [
    ['a definition', minimal],
    ['an incomplete network', { parse() {}, verdict() {} }],
    ['a factory', acme],
    ['a name', 'acme'],
    ['null', null],
  ] as const) {
    it(`rejects ${title}`, () => assert.ok(!isNetwork(other)))
  }
})
