import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { InvalidImpressionError } from '../../lib/errors.js'
import type { Fields, Network } from '../../lib/networks/network.js'
import type { Verdict } from '../../lib/networks/verdict.js'
import { answer } from './answer.js'
import { anyAnswer, anyFields, anyValue } from './arbitraries.js'
import { withEnvironment } from './environment.js'
import { findSamples, type NetworkSamples } from './samples.js'
import { viewer } from './viewer.js'

const API_KEY = 'canary-8d1f0c_77'

/** Creates the network that the contract is checked on. */
export type NetworkFactory = (options: { apiKey: string }) => Network

/** One clause of the contract. `check` throws if the network breaks it. */
export interface Clause {
  readonly title: string
  check(): void
}

interface Subject extends NetworkSamples {
  readonly name: string
  readonly network: Network
}

/** The contract of each network of a registry. Throws if one of them has no samples. */
export function registryContract(
  networks: Readonly<Record<string, NetworkFactory>>,
  samples: Readonly<Record<string, NetworkSamples>>,
) {
  return Object.entries(networks).map(([name, create]) => ({
    name,
    clauses: networkContract(name, create, findSamples(samples, name)),
  }))
}

/** What every network must do, built in or not. */
function networkContract(
  name: string,
  create: NetworkFactory,
  samples: NetworkSamples,
): readonly Clause[] {
  const network = withEnvironment({}, () => create({ apiKey: API_KEY }))
  const subject = { ...samples, name, network }
  return [
    ...definitionClauses(subject),
    ...parseClauses(subject),
    ...requestClauses(subject),
    ...verdictClauses(subject),
  ]
}

/** The titles of the clauses that a network breaks. */
export function findBrokenClauses(clauses: readonly Clause[]): string[] {
  return clauses.filter((clause) => !holds(clause)).map(({ title }) => title)
}

function holds({ check }: Clause): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

function definitionClauses({ name, network }: Subject): Clause[] {
  return [
    {
      title: 'has the name under which it is registered',
      check: () => assert.equal(network.name, name),
    },
    {
      title: 'is frozen',
      check() {
        assert.ok(Object.isFrozen(network))
        assert.ok(Object.isFrozen(network.fields))
        assert.ok(Object.isFrozen(network.windows))
        assert.ok(Object.isFrozen(network.warnings))
      },
    },
    {
      title: 'lists each of its own fields once, without the common ones',
      check() {
        const { fields } = network
        assert.equal(new Set([...fields, 'campaignId', 'network']).size, fields.length + 2)
      },
    },
    {
      title: 'has an https base URL by default',
      check() {
        assert.equal(new URL(network.baseUrl).protocol, 'https:')
        assert.doesNotMatch(network.baseUrl, /\/$/)
      },
    },
    {
      title: 'has every setting',
      check() {
        assert.ok(network.connections >= 1 && network.maxBatch >= 1)
        assert.ok(['immediate', 'finish'].includes(network.flush))
        assert.equal(network.onUncertain, 'drop')
      },
    },
    {
      title: 'does not show its key when it is inspected or printed',
      check() {
        const texts = [
          inspect(network, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true }),
          JSON.stringify(network),
          String(network),
          String(Object.entries(network)),
          ...Object.values(network).map(String),
          ...network.warnings,
        ]
        for (const text of texts) assert.ok(!text.includes(API_KEY), text)
      },
    },
  ]
}

function parseClauses({ network, valid, spellings }: Subject): Clause[] {
  return [
    {
      title: 'parses equal inputs equally and does not modify them',
      check() {
        for (const fields of valid) {
          const frozen = Object.freeze({ ...fields })
          const frozenViewer = Object.freeze(viewer())
          assert.deepEqual(network.parse(frozen, frozenViewer), network.parse(frozen, frozenViewer))
        }
      },
    },
    {
      title: 'recognizes its own valid inputs',
      check() {
        for (const fields of valid) assert.notEqual(network.match(fields), 'no')
      },
    },
    {
      title: 'returns a match for any input',
      check() {
        fc.assert(
          fc.property(anyFields(network), (fields) => {
            assert.ok(['certain', 'likely', 'no'].includes(network.match(fields)))
          }),
        )
      },
    },
    {
      title: 'gives a campaign one id, however it is spelled, so that it counts once',
      check() {
        for (const [one, other] of spellings) {
          const [first, second] = [network.parse(one, viewer()), network.parse(other, viewer())]
          assert.equal(first.campaignId, second.campaignId)
          assert.equal(first.onceKey ?? first.campaignId, second.onceKey ?? second.campaignId)
        }
      },
    },
    {
      title: 'rejects an input with an InvalidImpressionError that names one of its fields',
      check() {
        const fields = ['campaignId', ...network.fields]
        fc.assert(
          fc.property(anyFields(network), (input) => assertParsesOrRejects(network, input, fields)),
        )
      },
    },
    {
      title: 'rejects or ignores a bad value of any field after the campaign id, naming that field',
      check() {
        for (const field of network.fields) {
          fc.assert(
            fc.property(fc.constantFrom(...valid), anyValue, (fields, value) =>
              assertParsesOrRejects(network, { ...fields, [field]: value }, [field]),
            ),
          )
        }
      },
    },
    {
      title: 'rejects an empty input',
      check: () => assert.throws(() => network.parse({}, viewer()), InvalidImpressionError),
    },
  ]
}

/** The network accepts the input, or throws or ignores a proper error about one of `fields`. */
function assertParsesOrRejects(network: Network, input: Fields, fields: readonly string[]): void {
  for (const error of parseErrors(network, input)) {
    assert.ok(error instanceof InvalidImpressionError, String(error))
    assert.ok(fields.includes(error.field), error.field)
    assert.ok(error.message.startsWith(`${error.field}: expected ${error.expected}, got `))
    assert.ok(error.message.length < 300, error.message)
  }
}

function parseErrors(network: Network, input: Fields): readonly unknown[] {
  try {
    return network.parse(input, viewer()).ignored ?? []
  } catch (error) {
    return [error]
  }
}

function requestClauses({ network, valid }: Subject): Clause[] {
  const { maxBatch } = network
  const parseAll = (inputs: readonly Fields[]) =>
    inputs.map((fields) => network.parse(fields, viewer()))
  const parseBatch = () => parseAll(valid.slice(0, maxBatch)).map(({ item }) => item)
  return [
    {
      title: 'writes each of the items once, and nothing else',
      check() {
        const body = JSON.stringify(JSON.parse(network.request(parseBatch()).body))
        for (const { campaignId } of parseAll(valid.slice(0, maxBatch))) {
          assert.equal(body.split(JSON.stringify(campaignId)).length, 2, `${campaignId} once`)
        }
        for (const { campaignId } of parseAll(valid.slice(maxBatch))) {
          assert.ok(!body.includes(JSON.stringify(campaignId)))
        }
      },
    },
    {
      title: 'writes equal requests for equal items and does not modify them',
      check() {
        const items = parseBatch()
        const before = structuredClone(items)
        assert.deepEqual(network.request(items), network.request(items))
        assert.deepEqual(items, before)
      },
    },
    {
      title: 'writes a valid HTTP request with a JSON body',
      check() {
        const { method, path, headers, body } = network.request(parseBatch())
        const request = new Request(network.baseUrl + path, { method, headers, body })
        assert.equal(request.url, network.baseUrl + path)
        assert.match(path, /^\/[\x21-\x7e]*$/)
        assert.equal(request.headers.get('content-type'), 'application/json')
        assert.ok(body.isWellFormed())
        assert.doesNotThrow(() => JSON.parse(body))
      },
    },
  ]
}

const KINDS = ['delivered', 'rejected', 'split', 'retry', 'suspect', 'misconfigured', 'uncertain']

const KIND_BY_STATUS: readonly (readonly [status: number, kind: Verdict['kind']])[] = [
  [200, 'delivered'],
  [204, 'delivered'],
  [302, 'misconfigured'],
  [400, 'rejected'],
  [401, 'suspect'],
  [403, 'suspect'],
  [404, 'misconfigured'],
  [405, 'misconfigured'],
  [408, 'retry'],
  [409, 'rejected'],
  [413, 'split'],
  [422, 'split'],
  [425, 'retry'],
  [429, 'retry'],
  [500, 'retry'],
  [502, 'uncertain'],
  [503, 'uncertain'],
  [504, 'uncertain'],
]

function verdictClauses({ network }: Subject): Clause[] {
  return [
    {
      title: 'returns a verdict for any answer and never throws',
      check() {
        fc.assert(
          fc.property(anyAnswer, (given) => assertIsVerdict(network.verdict(given))),
          { numRuns: 1_000 },
        )
      },
    },
    {
      title: 'never judges a 2xx as retry or uncertain',
      check() {
        fc.assert(
          fc.property(anyAnswer, fc.integer({ min: 200, max: 299 }), (given, status) => {
            const { kind } = network.verdict({ ...given, status })
            assert.ok(kind === 'delivered' || kind === 'rejected', kind)
          }),
        )
      },
    },
    ...KIND_BY_STATUS.map(([status, kind]) => ({
      title: `judges ${status} without a body of its own as ${kind}`,
      check() {
        assert.equal(network.verdict(answer(status)).kind, kind)
        assert.equal(network.verdict(answer(status, '<html>Sorry</html>')).kind, kind)
      },
    })),
  ]
}

function assertIsVerdict(verdict: Verdict): void {
  assert.ok(KINDS.includes(verdict.kind), verdict.kind)
  assert.equal(typeof verdict.reason, 'string')
  if (verdict.kind === 'retry' && verdict.retryAfterMs !== undefined) {
    assert.ok(Number.isFinite(verdict.retryAfterMs) && verdict.retryAfterMs >= 0)
  }
  if (verdict.kind === 'delivered' && verdict.count !== undefined) {
    assert.ok(Number.isSafeInteger(verdict.count) && verdict.count >= 0)
  }
}
