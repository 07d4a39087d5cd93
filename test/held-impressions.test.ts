import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CountedCampaigns } from '../lib/counting/dedupe.js'
import { NetworkChannel } from '../lib/delivery/network-channel.js'
import { HeldImpressions, OpenResponses } from '../lib/held-impressions.js'
import type { Impression } from '../lib/impression.js'
import { createDelivery } from './delivery/delivery-fixture.js'

/** A page load of several responses, each of which holds what it tracks. */
function createPageLoad(options: Parameters<typeof createDelivery>[0] = {}) {
  const fixture = createDelivery(options)
  const { network, delivery, log, clock } = fixture
  const statistics = fixture.statistics.forNetwork(network.name)
  const isClosed = () => false
  const channel = new NetworkChannel({
    network,
    statistics,
    delivery,
    isDedupedByOutbox: false,
    isClosed,
    log,
  })
  const campaigns = new CountedCampaigns('page-1')
  const openResponses = new OpenResponses(clock)
  return {
    ...fixture,
    openResponses,
    campaigns,
    openResponse(isDisplayed = () => true) {
      const held = new HeldImpressions(openResponses, campaigns, isDisplayed)
      campaigns.addListener(held)
      return {
        held,
        track(campaignId: number): Impression {
          const impression = fixture.createImpression({ campaignId })
          held.add({ channel, impression, onceKey: `acme:${campaignId}` })
          return impression
        },
      }
    },
  }
}

describe('held impressions', () => {
  it('count in the response that is displayed first, whichever tracked first', () => {
    const { openResponse, clock, reasons } = createPageLoad()
    const [first, second] = [openResponse(), openResponse()]
    first.track(1)
    second.track(1)
    second.held.send()
    clock.advance(100)
    first.held.send()
    assert.deepEqual(reasons(), ['delivered: http-200', 'duplicate: already-counted'])
  })

  it('count in a retry that overlaps a response which then breaks off', () => {
    const { openResponse, clock, reasons } = createPageLoad()
    const [first, second] = [openResponse(), openResponse()]
    first.track(1)
    second.track(1)
    first.held.suppress('aborted')
    second.held.send()
    clock.advance(100)
    assert.deepEqual(reasons(), ['suppressed: aborted', 'delivered: http-200'])
  })

  it('are duplicates at once in the response that holds the campaign itself', () => {
    const { openResponse, reasons } = createPageLoad()
    const { track } = openResponse()
    track(1)
    track(1)
    assert.deepEqual(reasons(), ['duplicate: already-counted'])
  })

  it('have one outcome each, and a campaign counts once if it was displayed at all', () => {
    const step = fc.record({
      does: fc.constantFrom('track', 'track', 'finish', 'breakOff', 'report', 'wait'),
      index: fc.nat(2),
      campaignId: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const model = new DisplayModel()
        for (const { does, index, campaignId } of steps) model[does](index, campaignId)
        model.checkEnd()
      }),
    )
  })
})

/** Three responses of one page load at a time, and the campaigns that they have displayed. */
class DisplayModel {
  readonly #pageLoad = createPageLoad()
  readonly #responses = [0, 1, 2].map(() => this.#openResponse())
  readonly #displayed = new Set<unknown>()
  #tracked = 0

  track(index: number, campaignId: number): void {
    this.#responses[index]?.track(campaignId)
    this.#responses[index]?.campaigns.add(campaignId)
    this.#tracked += 1
    this.#pageLoad.checkBalance()
  }

  finish(index: number): void {
    this.#display(index)
    this.#responses[index]?.held.send()
    this.#responses[index] = this.#openResponse()
  }

  breakOff(index: number): void {
    this.#responses[index]?.held.suppress('aborted')
    this.#responses[index] = this.#openResponse()
  }

  /** The client script reports the campaign. */
  report(_index: number, campaignId: number): void {
    this.#pageLoad.campaigns.notifyViewable(`acme:${campaignId}`)
    const isHeld = this.#responses.some(({ campaigns }) => campaigns.has(campaignId))
    if (isHeld) this.#displayed.add(campaignId)
  }

  /** For so long that every response displays what it holds. */
  wait(): void {
    this.#pageLoad.clock.advance(40_000)
    for (const index of this.#responses.keys()) this.#display(index)
  }

  checkEnd(): void {
    const { clock, checkBalance, ended, outcomes, figures } = this.#pageLoad
    for (const index of this.#responses.keys()) this.breakOff(index)
    clock.advance(1_000)
    checkBalance()
    assert.deepEqual(new Set(ended('delivered')), this.#displayed)
    assert.equal(ended('delivered').length, this.#displayed.size)
    assert.equal(outcomes.length, this.#tracked)
    assert.equal(figures().held, 0)
  }

  #openResponse() {
    return { ...this.#pageLoad.openResponse(), campaigns: new Set<number>() }
  }

  #display(index: number): void {
    for (const id of this.#responses[index]?.campaigns ?? []) this.#displayed.add(id)
  }
}

describe('a response that does not end', () => {
  it('is counted from half a minute on, and breaking off takes nothing back', () => {
    const { openResponse, clock, reasons } = createPageLoad()
    const { track, held } = openResponse()
    track(1)
    clock.advance(20_000)
    track(2)
    clock.advance(9_000)
    assert.deepEqual(reasons(), [])
    clock.advance(7_000)
    assert.deepEqual(reasons(), ['delivered: http-200'])
    held.suppress('aborted')
    assert.deepEqual(reasons(), ['delivered: http-200', 'suppressed: aborted'])
  })

  it('is not counted while it displays nothing', () => {
    let isDisplayed = false
    const { openResponse, clock, reasons } = createPageLoad()
    openResponse(() => isDisplayed).track(1)
    clock.advance(600_000)
    assert.deepEqual(reasons(), [])
    isDisplayed = true
    clock.advance(6_000)
    assert.deepEqual(reasons(), ['delivered: http-200'])
  })

  it('holds no more than may be pending, together with what is pending', () => {
    const { openResponse, clock, reasons, figures, transport, push } = createPageLoad({
      maxPending: 10,
    })
    transport.script = () => undefined
    push(4)
    const { track, held } = openResponse()
    for (let campaignId = 1; campaignId <= 20; campaignId += 1) track(campaignId)
    assert.equal(figures().held, 6)
    assert.deepEqual(reasons(), new Array(14).fill('dropped: overflow'))
    // What was held has its place already.
    held.send()
    assert.equal(figures().pending, 10)
    push()
    assert.equal(figures().dropped, 15)
    clock.advance(0)
    assert.equal(figures().pending, 10)
  })

  it('leaves no timer behind once it has ended', () => {
    const { openResponse, clock } = createPageLoad()
    const { held, track } = openResponse()
    track(1)
    held.suppress('aborted')
    // The log's own timer ends as well.
    clock.advance(60_000)
    assert.equal(clock.pendingTimers, 0)
  })
})
