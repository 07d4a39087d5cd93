import assert from 'node:assert/strict'
import { InvalidImpressionError } from '../../lib/errors.js'
import { closient } from '../../lib/networks/closient.js'
import type { Fields } from '../../lib/networks/network.js'
import type { Viewer } from '../../lib/viewer/viewer.js'
import { withEnvironment } from './environment.js'
import { viewer } from './viewer.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const OFFER = '2222222222222222222223'

const network = withEnvironment({}, () => closient({ apiKey: 'csb_body_sum' }))
const perOffer = withEnvironment({}, () => closient({ apiKey: 'csb_body_sum', perOffer: true }))

function buildBody(inputs: readonly Fields[], person: Partial<Viewer> = {}): unknown {
  const items = inputs.map((fields) => network.parse(fields, viewer(person)).item)
  return JSON.parse(network.request(items).body)
}

/** The message of the error for `fields`, which must be about `field`. */
function messageFor(fields: Fields, field: string): string {
  try {
    network.parse(fields, viewer())
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError)
    assert.equal(error.field, field)
    return error.message
  }
  assert.fail('expected an InvalidImpressionError')
}

/** The messages about the fields that `fields` counts without. */
function ignoredIn(fields: Fields): string[] {
  return (network.parse(fields, viewer()).ignored ?? []).map(({ message }) => message)
}

describe('closient().request', () => {
  it('is the documented example, with UUIDs written as shortuuids', () => {
    const { item } = network.parse(
      {
        campaignId: '00000000-0000-0000-0000-000000000039',
        offerId: '00000000-0000-0000-0000-000000000001',
        searchQuery: 'organic granola bars',
      },
      viewer(),
    )
    assert.deepEqual(network.request([item]), {
      method: 'POST',
      path: '/advertising/api/v1/ads/impressions',
      headers: { 'x-api-key': 'csb_body_sum', 'content-type': 'application/json' },
      body:
        '{"impressions":[{"campaign_id":"2222222222222222222232",' +
        '"offer_id":"2222222222222222222223"}],"search_query":"organic granola bars"}',
    })
    assert.equal(network.baseUrl, 'https://www.closient.com')
  })

  it('omits what is not known', () => {
    const { item } = network.parse({ campaignId: ID }, viewer())
    assert.equal(network.request([item]).body, `{"impressions":[{"campaign_id":"${ID}"}]}`)
  })

  it('takes null for not given', () => {
    assert.deepEqual(
      buildBody([{ campaignId: ID, offerId: null, searchQuery: null }], { searchQuery: 'muesli' }),
      { impressions: [{ campaign_id: ID }], search_query: 'muesli' },
    )
    assert.deepEqual(ignoredIn({ campaignId: ID, offerId: null, searchQuery: null }), [])
  })

  it('writes a batch in order, with one search query', () => {
    const searchQuery = 'muesli'
    assert.deepEqual(
      buildBody([
        { campaignId: ID, searchQuery },
        { campaignId: OFFER, searchQuery, offerId: ID },
      ]),
      {
        impressions: [{ campaign_id: ID }, { campaign_id: OFFER, offer_id: ID }],
        search_query: 'muesli',
      },
    )
  })

  it('is sent at response finish, with up to 1,000 impressions and 8 concurrent calls', () => {
    assert.equal(network.flush, 'finish')
    assert.equal(network.maxBatch, 1_000)
    assert.equal(network.connections, 8)
  })

  it('respects the published rate limits', () => {
    assert.deepEqual(network.windows, [
      { limit: 300, windowMs: 60_000 },
      { limit: 10_000, windowMs: 86_400_000 },
    ])
  })

  it('contains nothing about the viewer except the search query', () => {
    assert.deepEqual(buildBody([{ campaignId: ID }], { country: 'GB', device: 'mobile' }), {
      impressions: [{ campaign_id: ID }],
    })
  })
})

describe('closient().parse, campaignId and offerId', () => {
  for (const [form, id] of [
    ['a shortuuid', ID],
    ['the least', '2222222222222222222222'],
    ['a UUID in lower case', 'a1b2c3d4-e5f6-7890-abcd-ef1234567890'],
    ['a UUID in upper case', 'A1B2C3D4-E5F6-7890-ABCD-EF1234567890'],
  ] as const) {
    it(`accepts ${form} and sends a shortuuid`, () => {
      const parsed = network.parse({ campaignId: id, offerId: id }, viewer())
      assert.match(String(parsed.campaignId), /^[2-9A-HJ-NP-Za-km-z]{22}$/)
      assert.deepEqual(parsed.item, {
        campaign_id: parsed.campaignId,
        offer_id: parsed.campaignId,
      })
    })
  }

  for (const id of [
    '',
    'x',
    ID.slice(1),
    `${ID}2`,
    `${ID.slice(1)}0`,
    'zzzzzzzzzzzzzzzzzzzzzz',
    'a1b2c3d4e5f67890abcdef1234567890',
    `${ID}\n`,
    'x'.repeat(10_000_000),
    42,
    true,
    [ID],
    { toString: () => ID },
    Symbol(ID),
  ]) {
    const shown = String(id).slice(0, 40)
    const expected = /^\w+: expected a 22-character shortuuid or a canonical UUID, got /

    it(`rejects ${JSON.stringify(shown)} (${typeof id}) as a campaign`, () => {
      assert.match(messageFor({ campaignId: id }, 'campaignId'), expected)
    })

    it(`ignores ${JSON.stringify(shown)} (${typeof id}) as an offer`, () => {
      const [message = '', ...more] = ignoredIn({ campaignId: ID, offerId: id })
      assert.ok(message.startsWith('offerId: '), message)
      assert.match(message, expected)
      assert.deepEqual(more, [])
      assert.deepEqual(buildBody([{ campaignId: ID, offerId: id }]), {
        impressions: [{ campaign_id: ID }],
      })
    })

    it(`rejects ${JSON.stringify(shown)} (${typeof id}) as an offer with perOffer`, () => {
      assert.throws(() => perOffer.parse({ campaignId: ID, offerId: id }, viewer()), {
        name: 'InvalidImpressionError',
        field: 'offerId',
      })
    })
  }

  it('rejects null as a campaign', () => {
    messageFor({ campaignId: null }, 'campaignId')
    messageFor({}, 'campaignId')
  })

  it('counts a campaign once for all its offers', () => {
    const one = network.parse({ campaignId: ID, offerId: OFFER }, viewer())
    const other = network.parse({ campaignId: ID }, viewer())
    assert.equal(one.onceKey, other.onceKey)
  })

  it('counts a campaign once per offer with perOffer, however the offer is spelled', () => {
    const key = (fields: Fields) => perOffer.parse({ campaignId: ID, ...fields }, viewer()).onceKey
    assert.notEqual(key({ offerId: OFFER }), key({ offerId: ID }))
    assert.notEqual(key({ offerId: OFFER }), key({}))
    assert.equal(key({ offerId: null }), key({}))
    assert.equal(key({ offerId: OFFER }), key({ offerId: '00000000-0000-0000-0000-000000000001' }))
    assert.equal(perOffer.parse({ campaignId: ID, offerId: OFFER }, viewer()).campaignId, ID)
  })
})

describe('closient().parse, searchQuery', () => {
  it('defaults to the search query of the request', () => {
    assert.deepEqual(buildBody([{ campaignId: ID }], { searchQuery: 'muesli' }), {
      impressions: [{ campaign_id: ID }],
      search_query: 'muesli',
    })
  })

  it('takes precedence over the request', () => {
    const person = viewer({ searchQuery: 'muesli' })
    assert.deepEqual(network.parse({ campaignId: ID, searchQuery: 'oats' }, person).item, {
      campaign_id: ID,
      searchQuery: 'oats',
    })
  })

  for (const searchQuery of ['', ' ', '\n\t', '\0']) {
    it(`is omitted if it is blank: ${JSON.stringify(searchQuery)}`, () => {
      assert.deepEqual(buildBody([{ campaignId: ID, searchQuery }]), {
        impressions: [{ campaign_id: ID }],
      })
    })
  }

  it('is made well-formed and put on one line', () => {
    const { item } = network.parse({ campaignId: ID, searchQuery: ' a\r\nb\0c \ud800' }, viewer())
    assert.equal(item.searchQuery, 'a b c \ufffd')
  })

  it('has at most 1,024 characters', () => {
    const longest = 'x'.repeat(1_024)
    assert.equal(
      network.parse({ campaignId: ID, searchQuery: longest }, viewer()).item.searchQuery,
      longest,
    )
    const [message = ''] = ignoredIn({ campaignId: ID, searchQuery: `${longest}x` })
    assert.match(
      message,
      /^searchQuery: expected a string of at most 1024 characters, got "x{40}"… \(1025/,
    )
  })

  for (const searchQuery of [1, true, ['a'], {}]) {
    it(`is ignored if it is ${JSON.stringify(searchQuery)}, and that of the request is sent`, () => {
      const [message = '', ...more] = ignoredIn({ campaignId: ID, searchQuery })
      assert.match(message, /^searchQuery: expected a string of at most 1024 characters, got /)
      assert.deepEqual(more, [])
      assert.deepEqual(buildBody([{ campaignId: ID, searchQuery }], { searchQuery: 'muesli' }), {
        impressions: [{ campaign_id: ID }],
        search_query: 'muesli',
      })
    })
  }

  it('separates batches: two queries, and not given', () => {
    const keys = ['a', 'b', null, undefined].map(
      (searchQuery) => network.parse({ campaignId: ID, searchQuery }, viewer()).batchKey,
    )
    assert.equal(new Set(keys).size, 3)
  })

  it('gives queries that are sent alike the same batch key', () => {
    const key = (searchQuery: string) =>
      network.parse({ campaignId: ID, searchQuery }, viewer()).batchKey
    assert.equal(key('a b'), key(' a\nb '))
    assert.equal(key(''), network.parse({ campaignId: ID }, viewer()).batchKey)
  })
})

describe('closient().match', () => {
  it('is certain for a valid id, likely for another string, and no for a number', () => {
    assert.equal(network.match({ campaignId: ID }), 'certain')
    assert.equal(network.match({ campaignId: ID, placement: 'a' }), 'certain')
    assert.equal(network.match({ campaignId: 'too-short' }), 'likely')
    assert.equal(network.match({ campaignId: 42 }), 'no')
    assert.equal(network.match({}), 'no')
  })

  it('is no for an invalid id with a placement, which is ENS’s shape', () => {
    assert.equal(network.match({ campaignId: '42', placement: 'header_banner' }), 'no')
  })
})
