import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { closient } from '../lib/networks/closient.js'
import { ens } from '../lib/networks/ens.js'
import { createTracker, type Tracker } from '../lib/tracker.js'
import { HOSTILE_INPUTS } from './networks/hostile-inputs.js'
import { BROWSER_HEADERS } from './page-load/fetch-page.js'
import { assertBalanced } from './page-load/stats-assertions.js'
import { hostileHeaders } from './request/hostile-headers.js'

/** CI runs 100,000 cases of each (FUZZ_RUNS). A failure is repeated with the printed FUZZ_SEED. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 1_000)
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const RUNS_PER_TURN = 500
const MAX_GROWTH_BYTES = 64 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const HEADER_NAMES = [
  'accept',
  'content-length',
  'content-type',
  'cookie',
  'host',
  'hx-request',
  'next-router-prefetch',
  'origin',
  'range',
  'referer',
  'sec-ch-ua-form-factors',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-purpose',
  'user-agent',
  'x-requested-with',
]
const HEADER_VALUES = [
  '',
  '*/*',
  '?1',
  '"Android"',
  '0',
  'ad-page-load=3f1b2c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d.abcdefgh',
  'bytes=0-',
  'document',
  'empty',
  'http://127.0.0.1',
  'image',
  'no-cors',
  'prefetch',
  'same-origin',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36',
]

class HostileInput {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  create(): unknown {
    return HOSTILE_INPUTS[this.name]?.(() => '')
  }
}

const input = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, maxDepth: 2 }),
  fc.record(
    {
      campaignId: fc.oneof(fc.nat(), fc.string(), fc.anything({ maxDepth: 1 })),
      placement: fc.oneof(fc.string(), fc.anything({ maxDepth: 1 })),
      location: fc.oneof(fc.constantFrom('US', 'xx', null), fc.anything({ maxDepth: 1 })),
      device: fc.oneof(fc.constantFrom('mobile', 'tv'), fc.anything({ maxDepth: 1 })),
      offerId: fc.oneof(fc.uuid(), fc.anything({ maxDepth: 1 })),
      searchQuery: fc.oneof(fc.string({ unit: 'binary' }), fc.anything({ maxDepth: 1 })),
      network: fc.constantFrom('ens', 'closient', 'acme', undefined),
    },
    { requiredKeys: [] },
  ),
  // By name, because fast-check itself cannot handle some of them.
  fc.constantFrom(...Object.keys(HOSTILE_INPUTS)).map((name) => new HostileInput(name)),
)

const silent = { debug() {}, warn() {}, error() {} }

function createFuzzedTracker(): Tracker {
  // Nothing listens on port 9, so that impressions stay pending up to their limit.
  const baseUrl = 'http://127.0.0.1:9'
  return createTracker({
    networks: [ens({ apiKey: 'fuzz-key', baseUrl }), closient({ apiKey: 'csb_fuzz', baseUrl })],
    visibility: { secret: 'Zk3vQ9xP1nR7wT5yB2mL8hJ4cF6gD0sA' },
    pageLoadCookie: true,
    country: 'cloudflare',
    dedupe: { max: 1_000 },
    delivery: { maxPending: 1_000 },
    logger: silent,
  })
}

function createRequest(headers: object, method = 'GET', url = '/'): IncomingMessage {
  const req = new IncomingMessage(new Socket())
  return Object.assign(req, { method, url, headers: { ...headers } })
}

/** Runs `check` for every case, gives the event loop its turns, and bounds what is kept. */
async function fuzz<Case>(
  cases: fc.Arbitrary<Case>,
  check: (one: Case, tracker: Tracker) => unknown,
): Promise<void> {
  const tracker = createFuzzedTracker()
  let heapBytes: number | undefined
  for (let done = 0; done < RUNS; done += RUNS_PER_TURN) {
    const numRuns = Math.min(RUNS_PER_TURN, RUNS - done)
    const property = fc.asyncProperty(cases, async (one) => void (await check(one, tracker)))
    await fc.assert(property, { numRuns, seed: SEED + done })
    await new Promise((resolve) => setImmediate(resolve))
    // After the first turn, when caches and queues are as full as they get.
    if (heapBytes === undefined) heapBytes = measureHeap()
  }
  assertBalanced(tracker.stats())
  const grownBytes = measureHeap() - (heapBytes ?? 0)
  assert(grownBytes < MAX_GROWTH_BYTES, `the heap has grown by ${grownBytes} bytes`)
  await tracker.close({ timeoutMs: 0 })
}

function measureHeap(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

describe(`${RUNS} cases (FUZZ_SEED=${SEED})`, function () {
  this.timeout(900_000)

  it('of any input neither throw nor unbalance the figures', async () => {
    await fuzz(fc.array(input, { maxLength: 3 }), (inputs, tracker) => {
      const req = createRequest(BROWSER_HEADERS)
      const track = tracker.pageLoad(req, new ServerResponse(req))
      for (const one of inputs) {
        const args = [one instanceof HostileInput ? one.create() : one]
        assert.equal(Reflect.apply(track, undefined, args), '')
        assert.equal(typeof Reflect.apply(track.whenVisible, undefined, args), 'string')
      }
    })
  })

  it('of any request headers neither throw nor unbalance the figures', async () => {
    const requests = fc.record({
      headers: hostileHeaders(HEADER_NAMES, HEADER_VALUES),
      method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PURGE'),
      url: fc.oneof(fc.constant('/'), fc.webPath(), fc.string()),
    })
    await fuzz(requests, async ({ headers, method, url }, tracker) => {
      const req = createRequest(headers, method, url)
      const track = tracker.pageLoad(req, new ServerResponse(req))
      assert.equal(track({ campaignId: 42, placement: 'top' }), '')
      assert.equal(track({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' }), '')
      assert.equal(typeof track.script(), 'string')
      if (url !== '/_visible') await tracker.reply(req, [])
    })
  })

  it('of any report neither throw nor unbalance the figures', async () => {
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.tuple(fc.base64String(), fc.base64String()).map(([a, b]) => `${a}.${b}`),
      fc.constant('mine'),
    )
    const reports = fc.record({
      body: fc.oneof(fc.array(token, { maxLength: 5 }), fc.json(), fc.anything({ maxDepth: 1 })),
      headers: hostileHeaders(HEADER_NAMES, HEADER_VALUES),
    })
    let campaignId = 0
    await fuzz(reports, async ({ body, headers }, tracker) => {
      campaignId += 1
      const page = createRequest(BROWSER_HEADERS)
      const { whenVisible } = tracker.pageLoad(page, new ServerResponse(page))
      const mine = whenVisible({ campaignId, placement: 'top' }).replace(/^.*=/, '')
      const filled = Array.isArray(body) ? body.map((one) => (one === 'mine' ? mine : one)) : body
      const req = createRequest(
        { 'sec-fetch-site': 'same-origin', ...BROWSER_HEADERS, ...headers },
        'POST',
        '/_visible',
      )
      req.push(null)
      const reply = await tracker.reply(req, filled)
      assert(reply && reply.status >= 200 && reply.status < 500)
    })
  })
})
