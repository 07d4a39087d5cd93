import assert from 'node:assert/strict'
import fc from 'fast-check'
import { assertBalanced } from '../page-load/stats-assertions.js'
import { adsByPath, SAME_ORIGIN_HEADERS, VisibleSite } from './visible-site.js'

/** CI runs 100,000 cases (FUZZ_RUNS). A failure is repeated with the printed FUZZ_SEED. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 1_000)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

describe('any report', () => {
  it(`is answered, counts each token at most once, and keeps the figures balanced (seed ${SEED})`, async function () {
    this.timeout(900_000)
    await using site = await VisibleSite.start({ page: adsByPath })
    const counted = new Map<unknown, number>()
    site.tracker.on('outcome', ({ campaignId, outcome }) => {
      if (outcome === 'delivered') counted.set(campaignId, (counted.get(campaignId) ?? 0) + 1)
    })
    const tokens = await site.fetchTokens(
      `/${Array.from({ length: 20 }, (_, n) => n + 1).join('/')}`,
    )
    const token = fc.constantFrom(...tokens)
    const damaged = fc
      .tuple(token, fc.nat(500), fc.string({ maxLength: 3, unit: 'binary' }))
      .map(([whole, at, text]) => whole.slice(0, at) + text + whole.slice(at + 1))
    const array = fc
      .array(fc.oneof(token, damaged, fc.string(), fc.jsonValue()), { maxLength: 120 })
      .map((items) => JSON.stringify(items))
    const body = fc.oneof(
      array,
      fc.json(),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.tuple(array, fc.nat(200)).map(([text, at]) => text.slice(0, at)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    )
    const headers = fc.record(
      {
        'sec-fetch-site': fc.constantFrom('same-origin', 'cross-site', 'none', ''),
        origin: fc.constantFrom('null', 'http://127.0.0.1', 'x', `http://127.0.0.1:${site.port}`),
        'content-encoding': fc.constantFrom('identity', 'gzip', 'br', 'x'),
        'content-type': fc.constantFrom('application/json', 'text/plain', 'multipart/form-data'),
      },
      { requiredKeys: [] },
    )

    // These have counted already, whatever the cases are.
    await site.sendReport(tokens.slice(0, 10))
    await fc.assert(
      fc.asyncProperty(body, headers, async (sent, given) => {
        const { status, text } = await site.sendReport(sent, { ...SAME_ORIGIN_HEADERS, ...given })
        assert.deepEqual([status, text], [204, ''])
        assertBalanced(site.tracker.stats())
      }),
      { numRuns: RUNS, seed: SEED },
    )

    await site.tracker.flush()
    for (const [campaign, times] of counted) assert.equal(times, 1, `campaign ${campaign}`)
    assert.ok(counted.size >= 10)
  })
})
