import assert from 'node:assert/strict'
import { CountedCampaigns } from '../../lib/counting/dedupe.js'
import { NetworkChannel } from '../../lib/delivery/network-channel.js'
import { createDelivery } from './delivery-fixture.js'

function createChannel(isClosed = () => false) {
  const fixture = createDelivery()
  const { network, delivery, log } = fixture
  const statistics = fixture.statistics.forNetwork(network.name)
  return {
    ...fixture,
    channel: new NetworkChannel({
      network,
      statistics,
      delivery,
      isDedupedByOutbox: false,
      isClosed,
      log,
    }),
    campaigns: new CountedCampaigns('page-1'),
  }
}

describe('the channel of a network', () => {
  it('sends a campaign once per page load, and concludes the rest as duplicates', () => {
    const { channel, campaigns, createImpression, clock, reasons } = createChannel()
    for (const _ of [1, 2]) {
      channel.send(createImpression({ campaignId: 7 }), 'acme:7', campaigns)
    }
    clock.advance(100)
    assert.deepEqual(reasons(), ['duplicate: already-counted', 'delivered: http-200'])
  })

  it('drops what is tracked after close()', () => {
    const { channel, createImpression, reasons } = createChannel(() => true)
    assert.equal(channel.admit(createImpression()), false)
    assert.deepEqual(reasons(), ['dropped: closed'])
  })

  it('lets a campaign count later if the stack overflowed before delivery accepted it', () => {
    const { channel, campaigns, delivery, createImpression, clock, ended } = createChannel()
    const { push } = delivery
    delivery.push = () => {
      throw new RangeError('Maximum call stack size exceeded')
    }
    assert.throws(() => channel.send(createImpression(), 'acme:1', campaigns), RangeError)
    assert.throws(() => channel.send(createImpression(), 'acme:2', campaigns), RangeError)
    delivery.push = push
    channel.send(createImpression(), 'acme:1', campaigns)
    channel.send(createImpression(), 'acme:2', campaigns)
    clock.advance(100)
    assert.deepEqual(ended('delivered'), [3, 4])
  })

  it('never lets it count again if the stack overflowed after delivery accepted it', () => {
    const { channel, campaigns, delivery, createImpression, clock, ended } = createChannel()
    const { push } = delivery
    delivery.push = (impression) => {
      push.call(delivery, impression)
      throw new RangeError('Maximum call stack size exceeded')
    }
    assert.throws(() => channel.send(createImpression(), 'acme:1', campaigns), RangeError)
    delivery.push = push
    channel.send(createImpression(), 'acme:1', campaigns)
    clock.advance(100)
    assert.deepEqual(ended('delivered'), [1])
    assert.deepEqual(ended('duplicate'), [2])
  })
})
