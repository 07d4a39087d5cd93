import assert from 'node:assert/strict'
import fc from 'fast-check'
import { InvalidImpressionError } from '../../lib/errors.js'
import type { Log } from '../../lib/logger.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import { InputReader } from '../../lib/networks/input-reader.js'
import type { Network } from '../../lib/networks/network.js'
import { acme } from './acme.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const networks = {
  ens: ens({ apiKey: 'k' }),
  closient: closient({ apiKey: 'k' }),
  acme: acme({ apiKey: 'k' }),
}

function createReader(...names: (keyof typeof networks)[]) {
  const warnings: string[] = []
  const note = (_kind: string, message: string) => void warnings.push(message)
  const log: Log = { debug: undefined, warn: note, error: note }
  const channels = names.map((name): { network: Network } => ({ network: networks[name] }))
  return { reader: new InputReader(channels, log), warnings, channels }
}

function findNetworkName(
  reader: ReturnType<typeof createReader>['reader'],
  input: unknown,
): string {
  return reader.findChannel(reader.read(input).fields).network.name
}

function catchError(act: () => unknown): InvalidImpressionError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError, String(error))
    return error
  }
  assert.fail('expected an InvalidImpressionError')
}

describe('InputReader.read()', () => {
  it('reads each field that a network has once, and no other', () => {
    const { reader } = createReader('ens', 'closient')
    const reads: PropertyKey[] = []
    const input = new Proxy(
      { campaignId: 1, placement: 'a', price: 7 },
      {
        get(target, name) {
          reads.push(name)
          return Reflect.get(target, name)
        },
      },
    )
    reader.read(input)
    assert.deepEqual(reads.map(String).sort(), [
      'campaignId',
      'device',
      'location',
      'network',
      'offerId',
      'placement',
      'searchQuery',
    ])
  })

  it('reads inherited fields and getters', () => {
    class Ad {
      get campaignId() {
        return 42
      }
    }
    const { reader } = createReader('ens')
    assert.equal(reader.read(new Ad()).fields.campaignId, 42)
    assert.equal(reader.read(Object.create({ campaignId: 43 })).fields.campaignId, 43)
  })

  for (const wrong of [undefined, null, 42, 'ad', true, 42n, Symbol('ad'), () => 'ad']) {
    it(`rejects what is not an object: ${typeof wrong} ${String(wrong)}`, () => {
      const error = catchError(() => createReader('ens').reader.read(wrong))
      assert.equal(error.field, 'input')
      assert.match(error.message, /^input: expected an object such as \{ campaignId, placement \}/)
    })
  }

  it('names a getter that throws, with its message on one line', () => {
    const input = {
      campaignId: 1,
      get placement(): string {
        throw new Error(`no\nplacement ${'x'.repeat(1_000)}`)
      },
    }
    const { fields, failure: error } = createReader('ens').reader.read(input)
    assert.equal(fields.campaignId, 1)
    assert.equal(error?.field, 'placement')
    assert.match(
      error.message,
      /^placement: expected a value that can be read \(reading it threw: no placement x+…\)/,
    )
    assert.ok(error.message.length < 350)
  })

  it('neither reads nor causes prototype pollution', () => {
    const { reader } = createReader('ens', 'closient')
    const input: unknown = JSON.parse(
      '{"__proto__":{"campaignId":1,"placement":"a"},"constructor":{"prototype":{"device":"tv"}}}',
    )
    const { fields } = reader.read(input)
    assert.equal(fields.campaignId, undefined)
    assert.equal(Reflect.get({}, 'campaignId'), undefined)
    assert.equal(Reflect.get({}, 'device'), undefined)
  })
})

describe('InputReader.findChannel()', () => {
  it('uses the network that the input names', () => {
    const { reader } = createReader('ens', 'closient', 'acme')
    for (const network of ['ens', 'closient', 'acme']) {
      assert.equal(findNetworkName(reader, { network }), network)
    }
  })

  for (const network of ['Ens', 'google', '', 0, 7, {}, ['ens']]) {
    it(`rejects the network ${JSON.stringify(network)}`, () => {
      const { reader } = createReader('ens', 'closient')
      const error = catchError(() =>
        findNetworkName(reader, { network, campaignId: 1, placement: 'a' }),
      )
      assert.match(error.message, /^network: expected 'ens' or 'closient', got /)
    })
  }

  it('takes null for no name', () => {
    const { reader } = createReader('ens', 'closient')
    assert.equal(findNetworkName(reader, { network: null, campaignId: 1, placement: 'a' }), 'ens')
    assert.equal(findNetworkName(reader, { campaignId: 'too-short', placement: null }), 'closient')
  })

  it('uses the only network if there is one', () => {
    assert.equal(findNetworkName(createReader('ens').reader, { campaignId: ID }), 'ens')
    assert.equal(
      findNetworkName(createReader('closient').reader, { campaignId: 42, placement: 'a' }),
      'closient',
    )
    assert.equal(findNetworkName(createReader('closient').reader, {}), 'closient')
  })

  for (const [title, input, name] of [
    ["ENS's example", { campaignId: 1, placement: 'header_banner' }, 'ens'],
    ["Closient's", { campaignId: ID }, 'closient'],
    ["Closient's with a UUID", { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890' }, 'closient'],
    [
      "Closient's with a placement, which it has no field for",
      { campaignId: ID, placement: 'a' },
      'closient',
    ],
    ['a number alone', { campaignId: 42 }, 'ens'],
    ['a number as a string, with a placement', { campaignId: '42', placement: 'a' }, 'ens'],
    ['a placement alone', { placement: 'a' }, 'ens'],
    ['an id too short', { campaignId: ID.slice(1) }, 'closient'],
    ['an id too short, with an offer', { campaignId: ID.slice(1), offerId: ID }, 'closient'],
  ] as const) {
    it(`recognizes the shape, whichever network comes first: ${title}`, () => {
      assert.equal(findNetworkName(createReader('ens', 'closient').reader, input), name)
      assert.equal(findNetworkName(createReader('closient', 'ens').reader, input), name)
    })
  }

  for (const input of [{}, { campaignId: undefined }, { campaignId: 42n }, { campaignId: null }]) {
    it(`rejects an input of unknown shape: ${Object.keys(input)} ${typeof Object.values(input)[0]}`, () => {
      const error = catchError(() => findNetworkName(createReader('ens', 'closient').reader, input))
      assert.equal(error.field, 'campaignId')
      assert.match(error.message, /^campaignId: expected the id of a campaign, got /)
    })
  }

  it('does not depend on the order of the networks', () => {
    const [one, other] = [
      createReader('ens', 'closient').reader,
      createReader('closient', 'ens').reader,
    ]
    const text = fc.constantFrom(undefined, 'a', ID, '42')
    const inputs = fc.record({
      campaignId: fc.oneof(text, fc.integer(), fc.constant(null)),
      placement: text,
      offerId: text,
      searchQuery: text,
    })
    const findOrFail = (reader: typeof one, input: unknown) => {
      try {
        return findNetworkName(reader, input)
      } catch (error) {
        return String(error)
      }
    }
    fc.assert(
      fc.property(inputs, (input) =>
        assert.equal(findOrFail(one, input), findOrFail(other, input)),
      ),
    )
  })
})

describe('InputReader.warnUnknownFields()', () => {
  it('names the field that a misspelt one was meant to be, with or without a network', () => {
    const { reader, warnings, channels } = createReader('ens', 'closient')
    const [channel] = channels
    assert.ok(channel)
    reader.warnUnknownFields({ campaignId: 42, placment: 'top' }, channel)
    reader.warnMisspeltFields({ campaignID: 42, price: 7 }, undefined)
    assert.deepEqual(warnings, [
      'ens: "placment" is not a field of this network; ignored (did you mean placement?)',
      'unknown: "campaignID" is not a field of any network; ignored (did you mean campaignId?)',
    ])
  })

  it('warns once about each field', () => {
    const { reader, warnings, channels } = createReader('ens', 'closient')
    const [channel] = channels
    assert.ok(channel)
    const ad = { campaignId: 1, placement: 'a', network: 'ens', price: 7, offerId: ID }
    reader.warnUnknownFields(ad, channel)
    reader.warnUnknownFields(ad, channel)
    assert.deepEqual(warnings, [
      'ens: "price" is not a field of this network; ignored',
      'ens: "offerId" is not a field of this network; ignored',
    ])
  })

  it('ignores inherited fields', () => {
    const { reader, warnings, channels } = createReader('ens')
    const [channel] = channels
    assert.ok(channel)
    const inherited = { colour: 'red' }
    reader.warnUnknownFields(
      Object.assign(Object.create(inherited), { campaignId: 1, price: 7 }),
      channel,
    )
    assert.deepEqual(warnings, ['ens: "price" is not a field of this network; ignored'])
  })

  it('shortens the name and never shows the value', () => {
    const { reader, warnings, channels } = createReader('ens')
    const [channel] = channels
    assert.ok(channel)
    reader.warnUnknownFields({ [`a\n${'x'.repeat(5_000)}`]: 'canary' }, channel)
    assert.match(warnings.join(), /^ens: "a\\nx{38}"… \(5002 characters\) is not a field/)
  })

  it('stops after 200 warnings', () => {
    const { reader, warnings, channels } = createReader('ens')
    const [channel] = channels
    assert.ok(channel)
    for (let i = 0; i < 1_000; i += 1) reader.warnUnknownFields({ [`field${i}`]: 1 }, channel)
    assert.equal(warnings.length, 200)
  })

  it('accepts an input that refuses to list its fields', () => {
    const { reader, warnings, channels } = createReader('ens')
    const [channel] = channels
    assert.ok(channel)
    const hostile = new Proxy({}, { getPrototypeOf: () => assert.fail('looked at') })
    const unlistable = new Proxy(
      { campaignId: 1 },
      {
        ownKeys() {
          throw hostile
        },
      },
    )
    reader.warnUnknownFields(unlistable, channel)
    assert.deepEqual(warnings, [])
  })
})
