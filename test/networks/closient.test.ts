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

function bodyOf(inputs: readonly Fields[], person: Partial<Viewer> = {}): unknown {
  const items = inputs.map((fields) => network.parse(fields, viewer(person)).item)
  return JSON.parse(network.request(items).body)
}

/** What is said of `fields`, which must be refused for `field`. */
function complaint(fields: Fields, field: string): string {
  try {
    network.parse(fields, viewer())
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError)
    assert.equal(error.field, field)
    return error.message
  }
  assert.fail('expected a refusal')
}

describe("closient(): closient.txt's request", () => {
  it("is the document's example, with its UUIDs as shortuuids", () => {
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

  it('leaves out what is not known', () => {
    const { item } = network.parse({ campaignId: ID }, viewer())
    assert.equal(network.request([item]).body, `{"impressions":[{"campaign_id":"${ID}"}]}`)
  })

  it('says null where the input does, as the document allows of offer and search', () => {
    assert.deepEqual(bodyOf([{ campaignId: ID, offerId: null, searchQuery: null }]), {
      impressions: [{ campaign_id: ID, offer_id: null }],
      search_query: null,
    })
  })

  it('carries a batch, in its order, with one search query', () => {
    const searchQuery = 'muesli'
    assert.deepEqual(
      bodyOf([
        { campaignId: ID, searchQuery },
        { campaignId: OFFER, searchQuery, offerId: ID },
      ]),
      {
        impressions: [{ campaign_id: ID }, { campaign_id: OFFER, offer_id: ID }],
        search_query: 'muesli',
      },
    )
  })

  it('leaves at response finish, up to 1,000 impressions a call, 8 calls at once', () => {
    assert.equal(network.flush, 'finish')
    assert.equal(network.maxBatch, 1_000)
    assert.equal(network.connections, 8)
  })

  it('knows the published windows', () => {
    assert.deepEqual(network.windows, [
      { limit: 300, windowMs: 60_000 },
      { limit: 10_000, windowMs: 86_400_000 },
    ])
  })

  it('tells nothing of the viewer but the search', () => {
    assert.deepEqual(bodyOf([{ campaignId: ID }], { country: 'GB', device: 'mobile' }), {
      impressions: [{ campaign_id: ID }],
    })
  })
})

describe("closient(): an input's ids", () => {
  for (const [form, id] of [
    ['a shortuuid', ID],
    ['the least', '2222222222222222222222'],
    ['a UUID in lower case', 'a1b2c3d4-e5f6-7890-abcd-ef1234567890'],
    ['a UUID in upper case', 'A1B2C3D4-E5F6-7890-ABCD-EF1234567890'],
  ] as const) {
    it(`take ${form}, and send a shortuuid`, () => {
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
    it(`refuse ${JSON.stringify(shown)} (${typeof id}) for a campaign and for an offer`, () => {
      const expected = /: expected a 22-character shortuuid or a canonical UUID, got /
      assert.match(complaint({ campaignId: id }, 'campaignId'), expected)
      assert.match(complaint({ campaignId: ID, offerId: id }, 'offerId'), expected)
    })
  }

  it('allow no null for a campaign', () => {
    complaint({ campaignId: null }, 'campaignId')
    complaint({}, 'campaignId')
  })

  it('count a campaign once, whatever its offers', () => {
    const one = network.parse({ campaignId: ID, offerId: OFFER }, viewer())
    const other = network.parse({ campaignId: ID }, viewer())
    assert.equal(one.onceKey, other.onceKey)
  })

  it('count a campaign once an offer if asked to, in whatever form the offer is written', () => {
    const key = (fields: Fields) => perOffer.parse({ campaignId: ID, ...fields }, viewer()).onceKey
    assert.notEqual(key({ offerId: OFFER }), key({ offerId: ID }))
    assert.notEqual(key({ offerId: OFFER }), key({}))
    assert.equal(key({ offerId: null }), key({}))
    assert.equal(key({ offerId: OFFER }), key({ offerId: '00000000-0000-0000-0000-000000000001' }))
    assert.equal(perOffer.parse({ campaignId: ID, offerId: OFFER }, viewer()).campaignId, ID)
  })
})

describe("closient(): an input's search query", () => {
  it("is the request's where the input has none", () => {
    assert.deepEqual(bodyOf([{ campaignId: ID }], { searchQuery: 'muesli' }), {
      impressions: [{ campaign_id: ID }],
      search_query: 'muesli',
    })
  })

  it('is believed before the request, also where it says that there was none', () => {
    const person = viewer({ searchQuery: 'muesli' })
    assert.deepEqual(network.parse({ campaignId: ID, searchQuery: 'oats' }, person).item, {
      campaign_id: ID,
      searchQuery: 'oats',
    })
    assert.deepEqual(network.parse({ campaignId: ID, searchQuery: null }, person).item, {
      campaign_id: ID,
      searchQuery: null,
    })
  })

  for (const searchQuery of ['', ' ', '\n\t', '\0']) {
    it(`is never sent empty: ${JSON.stringify(searchQuery)}`, () => {
      assert.deepEqual(bodyOf([{ campaignId: ID, searchQuery }]), {
        impressions: [{ campaign_id: ID }],
      })
    })
  }

  it('is sent well-formed, on one line', () => {
    const { item } = network.parse({ campaignId: ID, searchQuery: ' a\r\nb\0c \ud800' }, viewer())
    assert.equal(item.searchQuery, 'a b c \ufffd')
  })

  it('has at most 1,024 characters', () => {
    const longest = 'x'.repeat(1_024)
    assert.equal(
      network.parse({ campaignId: ID, searchQuery: longest }, viewer()).item.searchQuery,
      longest,
    )
    assert.match(
      complaint({ campaignId: ID, searchQuery: `${longest}x` }, 'searchQuery'),
      /^searchQuery: expected a text of at most 1024 characters, or null, got "x{40}"… \(1025/,
    )
  })

  for (const searchQuery of [1, true, ['a'], {}]) {
    it(`is no ${typeof searchQuery}: ${JSON.stringify(searchQuery)}`, () => {
      complaint({ campaignId: ID, searchQuery }, 'searchQuery')
    })
  }

  it('parts the batches: a query, another one, none said and none there', () => {
    const keys = ['a', 'b', null, undefined].map(
      (searchQuery) => network.parse({ campaignId: ID, searchQuery }, viewer()).batchKey,
    )
    assert.equal(new Set(keys).size, 4)
  })

  it('makes one batch of queries that are sent alike', () => {
    const key = (searchQuery: string) =>
      network.parse({ campaignId: ID, searchQuery }, viewer()).batchKey
    assert.equal(key('a b'), key(' a\nb '))
    assert.equal(key(''), network.parse({ campaignId: ID }, viewer()).batchKey)
  })
})

describe('closient(): whose an input is', () => {
  it('is certain by a good id, likely by another text, and not for a number', () => {
    assert.equal(network.match({ campaignId: ID }), 'certain')
    assert.equal(network.match({ campaignId: ID, placement: 'a' }), 'certain')
    assert.equal(network.match({ campaignId: 'too-short' }), 'likely')
    assert.equal(network.match({ campaignId: 42 }), 'no')
    assert.equal(network.match({}), 'no')
  })

  it("is left to ENS where a placement makes it ENS's shape", () => {
    assert.equal(network.match({ campaignId: '42', placement: 'header_banner' }), 'no')
  })
})
