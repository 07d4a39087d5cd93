import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { InvalidImpressionError } from '../../lib/errors.js'
import { builtInNetworks } from '../../lib/networks/index.js'
import type { Fields, Network } from '../../lib/networks/network.js'
import { acme } from './acme.js'
import { answer } from './answer.js'
import { withEnvironment } from './environment.js'
import { viewer } from './viewer.js'

const CANARY = 'csb_canary-8d1f0c_77'

interface Samples {
  /** Valid inputs that may share a call, each of another campaign, with what the viewer tells. */
  readonly valid: readonly [Fields, Fields, ...Fields[]]
  /** Pairs that spell one campaign in two ways. */
  readonly spellings: readonly (readonly [Fields, Fields])[]
}

/** Every network of the package: one without samples does not compile. */
const SAMPLES: Record<keyof typeof builtInNetworks, Samples> = {
  ens: {
    valid: [
      { campaignId: 7_777, placement: 'header_banner', location: 'US', device: 'mobile' },
      { campaignId: Number.MAX_SAFE_INTEGER, placement: 'ünï "quoted" \\ 😀' },
    ],
    spellings: [
      [
        { campaignId: 42, placement: 'a' },
        { campaignId: 42.0, placement: 'b', network: 'ens' },
      ],
    ],
  },
  closient: {
    valid: [
      { campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery: 'muesli "bio" 😀' },
      { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', searchQuery: 'muesli "bio" 😀' },
      {
        campaignId: '2222222222222222222222',
        offerId: 'f9e8d7c6-b5a4-3210-fedc-ba0987654321',
        searchQuery: 'muesli "bio" 😀',
      },
    ],
    spellings: [
      [
        { campaignId: '00000000-0000-0000-0000-000000000001' },
        { campaignId: '2222222222222222222223' },
      ],
      [
        { campaignId: 'A1B2C3D4-E5F6-7890-ABCD-EF1234567890' },
        { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', offerId: null },
      ],
    ],
  },
}

const ACME: Samples = {
  valid: [{ campaignId: 'spring', slot: 'top' }, { campaignId: 'summer' }],
  spellings: [[{ campaignId: 'Spring' }, { campaignId: 'spring', slot: '' }]],
}

contract('acme', acme, ACME)
for (const name of ['ens', 'closient'] as const) {
  contract(name, builtInNetworks[name], SAMPLES[name])
}

describe('the networks of the package', () => {
  it('are all held to the contract', () => {
    assert.deepEqual(Object.keys(builtInNetworks), Object.keys(SAMPLES))
  })
})

function contract(
  name: string,
  create: (options: { apiKey: string }) => Network,
  { valid, spellings }: Samples,
): void {
  const network = withEnvironment({}, () => create({ apiKey: CANARY }))
  const items = () => valid.map((fields) => network.parse(fields, viewer()).item)
  const kinds = ['delivered', 'rejected', 'split', 'retry', 'misconfigured', 'uncertain']

  describe(`the contract of a network: ${name}`, () => {
    it('has the name under which it is configured', () => {
      assert.equal(network.name, name)
    })

    it('cannot be changed', () => {
      assert.ok(Object.isFrozen(network))
      assert.ok(Object.isFrozen(network.fields))
      assert.ok(Object.isFrozen(network.windows))
    })

    it('lists its own fields, each once, besides those that all have', () => {
      const { fields } = network
      assert.equal(new Set([...fields, 'campaignId', 'network']).size, fields.length + 2)
    })

    it('calls an https origin by default', () => {
      const url = new URL(network.baseUrl)
      assert.equal(url.protocol, 'https:')
      assert.doesNotMatch(network.baseUrl, /\/$/)
    })

    it('is complete', () => {
      assert.ok(network.connections >= 1 && network.maxBatch >= 1)
      assert.ok(['immediate', 'finish'].includes(network.flush))
      assert.equal(network.onUncertain, 'drop')
    })

    it('parses the same from the same, and changes nothing that it is given', () => {
      for (const fields of valid) {
        const frozen = Object.freeze({ ...fields })
        const person = Object.freeze(viewer())
        assert.deepEqual(network.parse(frozen, person), network.parse(frozen, person))
      }
    })

    it('knows its own valid inputs', () => {
      for (const fields of valid) assert.notEqual(network.match(fields), 'no')
    })

    it('says whose an input is, whatever the input', () => {
      fc.assert(
        fc.property(anyFields(network), (fields) => {
          assert.ok(['certain', 'likely', 'no'].includes(network.match(fields)))
        }),
      )
    })

    it('spells one campaign in one way, so that it counts once', () => {
      for (const [one, other] of spellings) {
        const [first, second] = [network.parse(one, viewer()), network.parse(other, viewer())]
        assert.equal(first.campaignId, second.campaignId)
        assert.equal(first.onceKey ?? first.campaignId, second.onceKey ?? second.campaignId)
      }
    })

    it('refuses an input with an InvalidImpressionError that names a field it has', () => {
      const fields = ['campaignId', ...network.fields]
      fc.assert(
        fc.property(anyFields(network), (input) => {
          try {
            network.parse(input, viewer())
          } catch (error) {
            assert.ok(error instanceof InvalidImpressionError, String(error))
            assert.ok(fields.includes(error.field), error.field)
            assert.ok(error.message.startsWith(`${error.field}: expected ${error.expected}, got `))
            assert.ok(error.message.length < 300, error.message)
          }
        }),
      )
    })

    it('refuses an input without anything in it', () => {
      assert.throws(() => network.parse({}, viewer()), InvalidImpressionError)
    })

    it('writes each of its items, and nothing else', () => {
      const all = items()
      const whole = JSON.stringify(JSON.parse(network.request(all.slice(0, network.maxBatch)).body))
      for (const { campaignId } of valid.slice(0, network.maxBatch).map(parsed)) {
        assert.equal(whole.split(JSON.stringify(campaignId)).length, 2, `${campaignId} once`)
      }
      for (const { campaignId } of valid.slice(network.maxBatch).map(parsed)) {
        assert.ok(!whole.includes(JSON.stringify(campaignId)))
      }
      function parsed(fields: Fields) {
        return network.parse(fields, viewer())
      }
    })

    it('writes the same request for the same items, and does not change them', () => {
      const all = items().slice(0, network.maxBatch)
      const before = structuredClone(all)
      assert.deepEqual(network.request(all), network.request(all))
      assert.deepEqual(all, before)
    })

    it('writes a request that HTTP can carry', () => {
      const { method, path, headers, body } = network.request(items().slice(0, network.maxBatch))
      const request = new Request(network.baseUrl + path, { method, headers, body })
      assert.equal(request.url, network.baseUrl + path)
      assert.match(path, /^\/[\x21-\x7e]*$/)
      assert.equal(request.headers.get('content-type'), 'application/json')
      assert.ok(body.isWellFormed())
      assert.doesNotThrow(() => JSON.parse(body))
    })

    it('makes something of any answer, and never throws', () => {
      fc.assert(
        fc.property(answers, (given) => {
          const verdict = network.verdict(given)
          assert.ok(kinds.includes(verdict.kind), verdict.kind)
          assert.equal(typeof verdict.reason, 'string')
          if (verdict.kind === 'retry' && verdict.retryAfterMs !== undefined) {
            assert.ok(Number.isFinite(verdict.retryAfterMs) && verdict.retryAfterMs >= 0)
          }
          if (verdict.kind === 'delivered' && verdict.count !== undefined) {
            assert.ok(Number.isSafeInteger(verdict.count) && verdict.count >= 0)
          }
        }),
        { numRuns: 1_000 },
      )
    })

    it('never sends again what a 2xx has answered, nor takes it for uncertain', () => {
      fc.assert(
        fc.property(answers, fc.integer({ min: 200, max: 299 }), (given, status) => {
          const { kind } = network.verdict({ ...given, status })
          assert.ok(kind === 'delivered' || kind === 'rejected', kind)
        }),
      )
    })

    for (const [status, kind] of [
      [200, 'delivered'],
      [204, 'delivered'],
      [302, 'misconfigured'],
      [400, 'rejected'],
      [401, 'misconfigured'],
      [403, 'misconfigured'],
      [408, 'retry'],
      [409, 'rejected'],
      [413, 'split'],
      [422, 'split'],
      [425, 'retry'],
      [429, 'retry'],
      [500, 'retry'],
      [502, 'uncertain'],
      [503, 'retry'],
      [504, 'uncertain'],
    ] as const) {
      it(`takes ${status} without a word for ${kind}`, () => {
        assert.equal(network.verdict(answer(status)).kind, kind)
        assert.equal(network.verdict(answer(status, '<html>Sorry</html>')).kind, kind)
      })
    }

    it('shows its key to nobody who looks at it', () => {
      const looks = [
        inspect(network, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true }),
        JSON.stringify(network),
        String(network),
        String(Object.entries(network)),
        ...Object.values(network).map(String),
      ]
      for (const look of looks) assert.ok(!look.includes(CANARY), look)
    })
  })
}

function anyFields(network: { readonly fields: readonly string[] }): fc.Arbitrary<Fields> {
  const names = ['campaignId', ...network.fields]
  const value = fc.oneof(fc.anything(), fc.string(), fc.integer(), fc.constantFrom('', null, NaN))
  return fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
}

const headerValue = fc.option(
  fc.oneof(fc.string(), fc.array(fc.string()), fc.integer().map(String)),
  { nil: undefined },
)

const bodies = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .record(
      {
        status: fc.oneof(fc.constantFrom('success', 'error'), fc.anything()),
        success: fc.oneof(fc.boolean(), fc.anything()),
        count: fc.oneof(fc.integer(), fc.double()),
        title: fc.anything(),
        detail: fc.oneof(fc.string(), fc.anything()),
        error_code: fc.oneof(fc.string(), fc.anything()),
        message: fc.oneof(fc.string(), fc.anything()),
        retryable: fc.oneof(fc.boolean(), fc.anything()),
        retry_after_seconds: fc.oneof(fc.integer(), fc.double(), fc.anything()),
      },
      { requiredKeys: [] },
    )
    .map((body) => written(body)),
)

/** As JSON, cut off somewhere or not, and with numbers that no double holds. */
function written(body: object): string {
  try {
    return JSON.stringify(body).replaceAll(':null', ':1e999')
  } catch {
    return '{"status":'
  }
}

const answers = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  headers: fc.record(
    { 'retry-after': headerValue, date: headerValue, 'ratelimit-reset': headerValue },
    { requiredKeys: [] },
  ),
  body: bodies,
  atMs: fc.nat(),
})
