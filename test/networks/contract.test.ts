import assert from 'node:assert/strict'
import { InvalidImpressionError } from '../../lib/errors.js'
import * as packageExports from '../../lib/index.js'
import { builtInNetworks } from '../../lib/networks/built-in-networks.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import * as registry from '../../lib/networks/index.js'
import type { Fields, Network } from '../../lib/networks/network.js'
import { acme } from './acme.js'
import { findBrokenClauses, type NetworkFactory, registryContract } from './contract.js'
import { acmeSamples, builtInSamples } from './samples.js'

const samples = { ...builtInSamples, acme: acmeSamples }

for (const { name, clauses } of registryContract({ ...builtInNetworks, acme }, samples)) {
  describe(`network contract: ${name}`, () => {
    for (const { title, check } of clauses) it(title, check)
  })
}

describe('the registry of built-in networks', () => {
  it('has an entry for each export of lib/networks/index.ts', () => {
    assert.deepEqual(Object.keys(builtInNetworks).sort(), Object.keys(registry).sort())
  })

  it('drives the exports of the package', () => {
    for (const [name, create] of Object.entries(builtInNetworks)) {
      assert.equal(Reflect.get(packageExports, name), create)
    }
  })
})

describe('the contract suite, on a copy of the registry with another network', () => {
  /** A network whose optional field `slot` is parsed by `parseSlot`. */
  function defineSlots(parseSlot: (slot: unknown) => string): Network {
    return defineNetwork({
      name: 'slots',
      baseUrl: 'https://ads.slots.example',
      fields: ['slot'],
      parse({ campaignId, slot }: Fields) {
        if (typeof campaignId !== 'string' || !/^[a-z]+$/i.test(campaignId)) {
          throw new InvalidImpressionError('campaignId', 'a word', campaignId)
        }
        const id = campaignId.toLowerCase()
        return { campaignId: id, item: { id, slot: parseSlot(slot) } }
      },
      request: ([item]) => ({
        method: 'POST',
        path: '/shown',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(item),
      }),
    })
  }

  /** The broken clauses of each network in a copy of the registry that has `slots` as well. */
  function findBroken(create: NetworkFactory): Record<string, string[]> {
    const copy = { ...builtInNetworks, slots: create }
    const contracts = registryContract(copy, { ...samples, slots: acmeSamples })
    return Object.fromEntries(
      contracts.map(({ name, clauses }) => [name, findBrokenClauses(clauses)]),
    )
  }

  it('passes a correct network', () => {
    const broken = findBroken(() =>
      defineSlots((slot = '') => {
        if (typeof slot === 'string') return slot
        throw new InvalidImpressionError('slot', 'a string', slot)
      }),
    )
    assert.deepEqual(Object.values(broken).flat(), [])
  })

  const SECOND_FIELD =
    'rejects or ignores a bad value of any field after the campaign id, naming that field'

  it('fails a network that throws a TypeError for a bad second field', () => {
    const { slots, ...others } = findBroken(() =>
      defineSlots((slot = '') => Reflect.apply(String.prototype.trim, slot, [])),
    )
    assert.ok(slots?.includes(SECOND_FIELD))
    assert.deepEqual(Object.values(others).flat(), [])
  })

  it('fails a network that blames another field', () => {
    const { slots } = findBroken(() =>
      defineSlots((slot = '') => {
        if (typeof slot === 'string') return slot
        throw new InvalidImpressionError('campaignId', 'a word', slot)
      }),
    )
    assert.deepEqual(slots, [SECOND_FIELD])
  })

  it('fails a network that ignores a bad field and blames another', () => {
    const { slots } = findBroken(() => {
      const network = defineSlots(() => '')
      return defineNetwork({
        ...network,
        parse(fields, viewer) {
          const wrong = new InvalidImpressionError('campaignId', 'a word', fields.slot)
          const ignored = typeof fields.slot === 'string' ? [] : [wrong]
          return { ...network.parse(fields, viewer), ignored }
        },
      })
    })
    assert.deepEqual(slots, [SECOND_FIELD])
  })

  it('fails a network that is registered under another name', () => {
    const { slots } = findBroken(acme)
    assert.deepEqual(slots, ['has the name under which it is registered'])
  })

  it('does not skip a network without samples', () => {
    const copy = { ...builtInNetworks, unsampled: () => defineSlots(String) }
    assert.throws(() => registryContract(copy, samples), /unsampled needs samples/)
  })
})
