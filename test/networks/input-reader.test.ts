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

function readerOf(...names: (keyof typeof networks)[]) {
  const said: string[] = []
  const say = (_kind: string, message: string) => void said.push(message)
  const log: Log = { debug: say, warn: say, error: say }
  const lanes = names.map((name): { network: Network } => ({ network: networks[name] }))
  return { reader: new InputReader(lanes, log), said, lanes }
}

function nameOf(reader: ReturnType<typeof readerOf>['reader'], input: unknown): string {
  return reader.findChannel(reader.read(input).fields).network.name
}

function refusal(act: () => unknown): InvalidImpressionError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError, String(error))
    return error
  }
  assert.fail('expected a refusal')
}

describe('an input is read', () => {
  it('each field once, and only those that some network has', () => {
    const { reader } = readerOf('ens', 'closient')
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

  it('also where its fields are inherited, or come from getters', () => {
    class Ad {
      get campaignId() {
        return 42
      }
    }
    const { reader } = readerOf('ens')
    assert.equal(reader.read(new Ad()).fields.campaignId, 42)
    assert.equal(reader.read(Object.create({ campaignId: 43 })).fields.campaignId, 43)
  })

  for (const wrong of [undefined, null, 42, 'ad', true, 42n, Symbol('ad'), () => 'ad']) {
    it(`unless it is no object: ${typeof wrong} ${String(wrong)}`, () => {
      const error = refusal(() => readerOf('ens').reader.read(wrong))
      assert.equal(error.field, 'input')
      assert.match(error.message, /^input: expected an object such as \{ campaignId, placement \}/)
    })
  }

  it('and a getter that throws is named, with its words on one line', () => {
    const input = {
      campaignId: 1,
      get placement(): string {
        throw new Error(`no\nplacement ${'x'.repeat(1_000)}`)
      },
    }
    const { fields, failure: error } = readerOf('ens').reader.read(input)
    assert.equal(fields.campaignId, 1)
    assert.equal(error?.field, 'placement')
    assert.match(
      error.message,
      /^placement: expected a value that can be read \(reading it threw: no placement x+…\)/,
    )
    assert.ok(error.message.length < 350)
  })

  it('without being polluted by it, or polluting', () => {
    const { reader } = readerOf('ens', 'closient')
    const input: unknown = JSON.parse(
      '{"__proto__":{"campaignId":1,"placement":"a"},"constructor":{"prototype":{"device":"tv"}}}',
    )
    const { fields } = reader.read(input)
    assert.equal(fields.campaignId, undefined)
    assert.equal(Reflect.get({}, 'campaignId'), undefined)
    assert.equal(Reflect.get({}, 'device'), undefined)
  })
})

describe('whose an input is', () => {
  it('it says itself', () => {
    const { reader } = readerOf('ens', 'closient', 'acme')
    for (const network of ['ens', 'closient', 'acme']) {
      assert.equal(nameOf(reader, { network }), network)
    }
  })

  for (const network of ['Ens', 'google', '', null, 7, {}, ['ens']]) {
    it(`is not told by the network ${JSON.stringify(network)}`, () => {
      const { reader } = readerOf('ens', 'closient')
      const error = refusal(() => nameOf(reader, { network, campaignId: 1, placement: 'a' }))
      assert.match(error.message, /^network: expected 'ens' or 'closient', got /)
    })
  }

  it('is no question where there is one network only', () => {
    assert.equal(nameOf(readerOf('ens').reader, { campaignId: ID }), 'ens')
    assert.equal(
      nameOf(readerOf('closient').reader, { campaignId: 42, placement: 'a' }),
      'closient',
    )
    assert.equal(nameOf(readerOf('closient').reader, {}), 'closient')
  })

  for (const [title, input, name] of [
    ["ENS's example", { campaignId: 1, placement: 'header_banner' }, 'ens'],
    ["Closient's", { campaignId: ID }, 'closient'],
    ["Closient's with a UUID", { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890' }, 'closient'],
    [
      "Closient's with a placement that it has no field for",
      { campaignId: ID, placement: 'a' },
      'closient',
    ],
    ['a number alone', { campaignId: 42 }, 'ens'],
    ['a number as text, with a placement', { campaignId: '42', placement: 'a' }, 'ens'],
    ['a placement alone', { placement: 'a' }, 'ens'],
    ['an id too short', { campaignId: ID.slice(1) }, 'closient'],
    ['an id too short, with an offer', { campaignId: ID.slice(1), offerId: ID }, 'closient'],
  ] as const) {
    it(`is told by its shape, whichever network comes first: ${title}`, () => {
      assert.equal(nameOf(readerOf('ens', 'closient').reader, input), name)
      assert.equal(nameOf(readerOf('closient', 'ens').reader, input), name)
    })
  }

  for (const input of [{}, { campaignId: undefined }, { campaignId: 42n }, { campaignId: null }]) {
    it(`cannot be told of ${Object.keys(input)} ${typeof Object.values(input)[0]}`, () => {
      const error = refusal(() => nameOf(readerOf('ens', 'closient').reader, input))
      assert.equal(error.field, 'campaignId')
      assert.match(error.message, /^campaignId: expected the id of a campaign, got /)
    })
  }

  it('does not depend on the order of the networks', () => {
    const [one, other] = [readerOf('ens', 'closient').reader, readerOf('closient', 'ens').reader]
    const text = fc.constantFrom(undefined, 'a', ID, '42')
    const inputs = fc.record({
      campaignId: fc.oneof(text, fc.integer(), fc.constant(null)),
      placement: text,
      offerId: text,
      searchQuery: text,
    })
    const tell = (reader: typeof one, input: unknown) => {
      try {
        return nameOf(reader, input)
      } catch (error) {
        return String(error)
      }
    }
    fc.assert(fc.property(inputs, (input) => assert.equal(tell(one, input), tell(other, input))))
  })
})

describe('a field that the network does not have', () => {
  it('is told of once, by name', () => {
    const { reader, said, lanes } = readerOf('ens', 'closient')
    const [lane] = lanes
    assert.ok(lane)
    const ad = { campaignId: 1, placement: 'a', network: 'ens', price: 7, offerId: ID }
    reader.warnUnknownFields(ad, lane)
    reader.warnUnknownFields(ad, lane)
    assert.deepEqual(said, [
      'ens: "price" is no field of this network: left out',
      'ens: "offerId" is no field of this network: left out',
    ])
  })

  it('is its own: of what it inherits nobody is told', () => {
    const { reader, said, lanes } = readerOf('ens')
    const [lane] = lanes
    assert.ok(lane)
    const shared = { colour: 'red' }
    reader.warnUnknownFields(
      Object.assign(Object.create(shared), { campaignId: 1, price: 7 }),
      lane,
    )
    assert.deepEqual(said, ['ens: "price" is no field of this network: left out'])
  })

  it('is told of shortened, and never with its value', () => {
    const { reader, said, lanes } = readerOf('ens')
    const [lane] = lanes
    assert.ok(lane)
    reader.warnUnknownFields({ [`a\n${'x'.repeat(5_000)}`]: 'canary' }, lane)
    assert.match(said.join(), /^ens: "a\\nx{38}"… \(5002 characters\) is no field/)
  })

  it("is told of no more once 200 were: their names may be a client's", () => {
    const { reader, said, lanes } = readerOf('ens')
    const [lane] = lanes
    assert.ok(lane)
    for (let i = 0; i < 1_000; i += 1) reader.warnUnknownFields({ [`field${i}`]: 1 }, lane)
    assert.equal(said.length, 200)
  })

  it('does no harm to an input that does not tell its fields', () => {
    const { reader, said, lanes } = readerOf('ens')
    const [lane] = lanes
    assert.ok(lane)
    const hostile = new Proxy({}, { getPrototypeOf: () => assert.fail('looked at') })
    const shy = new Proxy(
      { campaignId: 1 },
      {
        ownKeys() {
          throw hostile
        },
      },
    )
    reader.warnUnknownFields(shy, lane)
    assert.deepEqual(said, [])
  })
})
