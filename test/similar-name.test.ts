import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suggestName } from '../lib/similar-name.js'

const FIELDS = ['campaignId', 'network', 'placement', 'location', 'device']

describe('the suggestion for an unknown name', () => {
  for (const [name, meant] of [
    ['placment', 'placement'],
    ['placemnet', 'placement'],
    ['campaign_id', 'campaignId'],
    ['campaignID', 'campaignId'],
    ['campaingId', 'campaignId'],
    ['devices', 'device'],
  ] as const) {
    it(`is ${meant} for ${name}`, () => {
      assert.equal(suggestName(name, FIELDS), ` (did you mean ${meant}?)`)
    })
  }

  it('is the closest of several names', () => {
    assert.equal(suggestName('maxAge', ['maxBatch', 'maxAgeMs']), ' (did you mean maxAgeMs?)')
  })

  it('does not exist if no name is similar', () => {
    for (const name of ['', 'id', 'url', 'image', 'price', 'title', 'alt', 'slot', 'target']) {
      assert.equal(suggestName(name, FIELDS), '', name)
    }
    assert.equal(suggestName('placement'.repeat(1_000), FIELDS), '')
  })

  it('is found for any single edit of a name with three letters or more', () => {
    const edit = fc.tuple(fc.constantFrom(...FIELDS), fc.nat(), fc.constantFrom('', 'x', 'xy'))
    fc.assert(
      fc.property(edit, ([name, at, replacement]) => {
        const index = at % name.length
        const misspelt = name.slice(0, index) + replacement + name.slice(index + 1)
        assert.equal(suggestName(misspelt, FIELDS), ` (did you mean ${name}?)`)
      }),
    )
  })
})
