import assert from 'node:assert/strict'
import { buildRequest, judgeCall } from '../../../lib/delivery/call/safe-network.js'
import { defineNetwork } from '../../../lib/networks/define-network.js'
import { ens } from '../../../lib/networks/ens.js'
import { answer } from '../../networks/answer.js'
import { inspectAll } from '../../networks/canaries.js'

describe('the reason of a verdict', () => {
  const key = 'canary_0123456789abcdef'
  const log = { debug() {}, warn() {}, error() {} }

  /** The reason after an answer with this body. The path of the request contains the key. */
  function readReason(message: string): string {
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      secrets: [key],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'GET', path: `/v1/${key}/shown`, headers: {}, body: '' }),
      verdict: ({ body }) => ({ kind: 'rejected', reason: body }),
    })
    const request = buildRequest(network, [])
    return judgeCall(network, { answer: answer(400, message) }, request, log).reason
  }

  it('contains no secret of the path', () => {
    assert.equal(readReason(`no route /v1/${key}/shown`), 'http-400: no route /v1/[redacted]/shown')
  })

  it('contains no part of a secret where it is truncated', () => {
    for (let at = 150; at < 220; at += 1) {
      const reason = readReason(`${'x'.repeat(at)}${key} and more`)
      assert.ok(!reason.includes('canary_0'), reason)
    }
    // Redaction shortens the text, so text that was truncated at 1,000 characters may be shown.
    for (let at = 0; at < 60; at += 1) {
      const long = key.split('').join('          ')
      const reason = readReason(`${'x'.repeat(at)}${long.repeat(10)}`)
      assert.match(reason, /^http-400: x*(\[redacted\])+( *[a-z_]){0,7}…$/)
    }
  })

  it('contains no secret that is split by invisible characters', () => {
    assert.equal(readReason(`key ${key.split('').join('\u200b')}.`), 'http-400: key [redacted].')
    assert.equal(
      readReason(`key ${key.slice(0, 9)}\r\n${key.slice(9)}.`),
      'http-400: key [redacted].',
    )
  })
})

describe('the code of a reason', () => {
  const log = { debug() {}, warn() {}, error() {} }

  function readReason(reason: unknown): string {
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'GET', path: '/', headers: {}, body: '' }),
      verdict: () => ({ kind: 'rejected', reason: reason as string }),
    })
    return judgeCall(network, { answer: answer(400) }, buildRequest(network, []), log).reason
  }

  it('is the status of the answer, if a custom network gives none', () => {
    assert.equal(readReason('no budget: paused'), 'http-400: no budget: paused')
    assert.equal(readReason('made-up: code'), 'http-400: made-up: code')
    assert.equal(readReason('http-9999: x'), 'http-400: http-9999: x')
  })

  it('is that of the custom network, if it gives a documented one', () => {
    assert.equal(readReason('http-422: no budget'), 'http-422: no budget')
    assert.equal(readReason('timeout: of its own backend'), 'timeout: of its own backend')
  })

  it('comes with a sentence if the custom network gives none', () => {
    for (const nothing of ['', ' ', '\u200b', undefined, 5]) {
      assert.equal(readReason(nothing), 'http-400: the network gave no reason')
    }
  })
})

describe('the verdict on an answer whose body cannot be read', () => {
  const network = ens({ apiKey: 'canary-key' })

  function judge(status: number, unreadable: string, body = '') {
    const warnings: string[] = []
    const log = { debug() {}, warn: (_: string, text: string) => warnings.push(text), error() {} }
    const end = { answer: answer(status, body), unreadable }
    return { ...judgeCall(network, end, network.request([]), log), warnings }
  }

  it('follows from its status, and the reason and a warning say so', () => {
    const reason = 'the body of the answer cannot be read: its encoding is zstd'
    assert.deepEqual(judge(200, 'its encoding is zstd'), {
      kind: 'delivered',
      reason: `http-200: the network accepted it (${reason})`,
      warnings: [`ens: ${reason}; its status decides`],
    })
    assert.equal(judge(422, 'its encoding is zstd').kind, 'split')
  })

  it('follows from what is readable of it, if that says enough', () => {
    const { kind, reason } = judge(200, 'it is longer than 1048576 bytes', '{"status":"error"}')
    assert.equal(kind, 'rejected')
    assert.match(reason, /^http-200: .*\(the body of the answer cannot be read: it is longer/)
  })

  it('shows no control characters and no key that a header may echo', () => {
    const { reason, warnings } = judge(200, 'its encoding is \u001b[31m canary-key')
    assert.doesNotMatch(`${reason} ${warnings}`, /\p{Cc}|canary/u)
  })
})

describe('the secrets of a network', () => {
  const network = defineNetwork({
    name: 'acme',
    baseUrl: 'https://ads.acme.example',
    fields: [],
    secrets: ['canary-secret'],
    parse: () => ({ campaignId: 1, item: 1 }),
    request: () => ({ method: 'GET', path: '/', headers: {}, body: '' }),
  })

  it('are hidden when the network is inspected', () => {
    assert.ok(!inspectAll(network).includes('canary'))
  })

  it('are inherited by a network that is defined from it', () => {
    const other = defineNetwork({ ...network, secrets: ['another'] })
    assert.deepEqual(other.request([]).secrets, ['canary-secret', 'another'])
    assert.deepEqual({ ...network }.request([]).secrets, ['canary-secret'])
  })
})

describe("an error of a custom network's verdict()", () => {
  it('is withheld, because a parser quotes an answer that may echo the key', () => {
    const key = 'csb_canary'
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'POST', path: '/', headers: { 'x-api-key': key }, body: '' }),
      verdict: ({ body }) => JSON.parse(body),
    })
    const messages: string[] = []
    const add = (_kind: string, message: string) => void messages.push(message)
    const log = { debug: undefined, warn: add, error: add }
    const echo = { answer: answer(400, `${key} is wrong`) }
    const verdict = judgeCall(network, echo, network.request([]), log)
    assert.deepEqual(verdict, {
      kind: 'rejected',
      reason: 'http-400: a gateway or the network refused it',
    })
    assert.equal(messages.length, 1)
    assert.equal(messages[0], 'acme: verdict() threw: the status decides')
  })
})
