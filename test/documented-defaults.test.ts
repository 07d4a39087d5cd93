import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { closient } from '../lib/networks/closient.js'
import { defineNetwork } from '../lib/networks/define-network.js'
import { ens } from '../lib/networks/ens.js'
import { resolveOptions, type TrackerOptions } from '../lib/options.js'

const LIB = new URL('../lib/', import.meta.url)
const network = ens({ apiKey: 'k' })
const secret = 'QmFzZTY0IG9mIDMyIHJhbmRvbSBieXRlcyE'

/** Each property of an interface, with the text of its doc comment. */
function readDocs(file: string, interfaceName: string): Map<string, string> {
  const source = readFileSync(new URL(file, LIB), 'utf8')
  const start = source.search(new RegExp(`^export interface ${interfaceName}\\b`, 'm'))
  assert.notEqual(start, -1, `${interfaceName} in ${file}`)
  const body = source.slice(start, source.indexOf('\n}\n', start))
  const properties = body.matchAll(/\n {2}\/\*\*(.*?)\*\/\n {2}(?:readonly )?(\w+)/gs)
  return new Map(Array.from(properties, ([, doc = '', name = '']) => [name, doc]))
}

/** The `@default` of each property that has one, as a value. */
function readDefaults(file: string, interfaceName: string): Map<string, unknown> {
  const defaults = new Map<string, unknown>()
  for (const [name, doc] of readDocs(file, interfaceName)) {
    const expression = /@default (.+?)\s*(?:\*|$)/m.exec(doc)?.[1]
    if (expression !== undefined) defaults.set(name, evaluate(expression))
  }
  return defaults
}

function evaluate(expression: string): unknown {
  // Through JSON, because objects of another realm are not deeply equal to ours.
  return JSON.parse(JSON.stringify(runInNewContext(`(${expression})`)))
}

function assertDefaults(
  documented: ReadonlyMap<string, unknown>,
  names: readonly string[],
  actual: object,
): void {
  assert.deepEqual([...documented.keys()], names)
  for (const [name, value] of documented) {
    assert.deepEqual(Reflect.get(actual, name), value, name)
  }
}

describe('the documented default', () => {
  const documented = readDefaults('options.ts', 'TrackerOptions')
  const resolved = resolveOptions({ networks: [network] })

  for (const [name, value] of documented) {
    it(`of the option ${name} is the real one`, () => {
      const options: TrackerOptions = { networks: [network], [name]: value }
      assert.deepEqual(Reflect.get(resolveOptions(options), name), Reflect.get(resolved, name))
      if (typeof value === 'object') assert.deepEqual(Reflect.get(resolved, name), value)
    })
  }

  it('exists for every option, as @default or in words', () => {
    const docs = readDocs('options.ts', 'TrackerOptions')
    assert.deepEqual([...docs.keys()].sort(), Object.keys(resolved).sort())
    for (const [name, doc] of docs) assert.match(doc, /@default |Default: /, name)
  })

  it('of each option of visibility is the real one', () => {
    const { visibility } = resolveOptions({ networks: [network], visibility: { secret } })
    assert.ok(visibility)
    assertDefaults(
      readDefaults('visibility/options.ts', 'VisibilityOptions'),
      ['path', 'tokenTtlMs'],
      visibility,
    )
  })

  it('of each option that built-in networks share is the real one', () => {
    const shared = readDefaults('networks/built-in-options.ts', 'BuiltInOptions')
    assertDefaults(shared, ['onUncertain'], network)
    assertDefaults(shared, ['onUncertain'], closient({ apiKey: 'k' }))
  })

  it('of each option of closient() is the real one', () => {
    const options = readDefaults('networks/closient.ts', 'ClosientOptions')
    assert.deepEqual([...options.keys()], ['perOffer', 'maxBatch'])
    assert.equal(closient({ apiKey: 'k' }).maxBatch, options.get('maxBatch'))
    const campaign = '2222222222222222222222'
    const [byDefault, asDocumented] = [{}, { perOffer: options.get('perOffer') === true }].map(
      (given) =>
        closient({ apiKey: 'k', ...given }).parse(
          { campaignId: campaign, offerId: campaign },
          { country: undefined, device: undefined, searchQuery: undefined },
        ),
    )
    assert.deepEqual(byDefault, asDocumented)
  })

  it('of each part of a network definition is the real one', () => {
    const minimal = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'POST', path: '/', headers: {}, body: '' }),
    })
    assertDefaults(
      readDefaults('networks/network.ts', 'NetworkDefinition'),
      ['flush', 'onUncertain', 'connections', 'maxBatch', 'warnings', 'mixesBatchKeys', 'windows'],
      minimal,
    )
  })
})
