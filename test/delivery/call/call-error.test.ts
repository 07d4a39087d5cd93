import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { CallError, isTlsRefusal } from '../../../lib/delivery/call/call-error.js'
import { inspectAll } from '../../networks/canaries.js'
import { startRawServer } from './raw-server.js'
import { createTransportTo, sendCall } from './send-call.js'

describe('the error of a call', () => {
  const { lookup } = dns
  afterEach(() => {
    dns.lookup = lookup
  })

  /** Makes every name resolve to these addresses. */
  function resolveTo(addresses: readonly LookupAddress[]): void {
    const resolve = (_name: string, ...[, done]: [object, (...args: unknown[]) => void]) =>
      process.nextTick(done, null, addresses)
    dns.lookup = Object.assign(resolve, lookup)
  }

  async function callClosedPort(host: string, addresses?: readonly LookupAddress[]) {
    const server = await startRawServer(() => {})
    const { port } = new URL(server.baseUrl)
    await server[Symbol.asyncDispose]()
    if (addresses) resolveTo(addresses)
    const transport = createTransportTo(`http://${host}:${port}`)
    const end = await sendCall(transport)
    await transport.destroy()
    assert('error' in end)
    return { port, error: end.error }
  }

  it('names each address of a host with several unreachable addresses', async () => {
    const addresses = ['127.0.0.3', '127.0.0.4'].map((address) => ({ address, family: 4 }))
    const { port, error } = await callClosedPort('two.example', addresses)
    assert.equal(error.code, 'ECONNREFUSED')
    const [first, second] = [3, 4].map((n) => `connect ECONNREFUSED 127.0.0.${n}:${port}`)
    assert.equal(error.message, `${first}, ${second} (two.example:${port})`)
  })

  it('names the host and port of a host with one address', async () => {
    const { port, error } = await callClosedPort('127.0.0.1')
    const address = `127.0.0.1:${port}`
    assert.equal(error.message, `connect ECONNREFUSED ${address} (${address})`)
  })

  it('is short for a host with many addresses', () => {
    const errors = Array.from(
      { length: 50 },
      (_, n) => new Error(`connect ECONNREFUSED [::${n}]:1`),
    )
    const cause = Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' })
    const { message, code } = new CallError(cause, 'many.example:1')
    assert.equal(code, 'ECONNREFUSED')
    assert.match(message, /^connect ECONNREFUSED \[::0\]:1, .*\[::3\]:1 \(many\.example:1\)$/)
  })

  it('has a message even if the cause has none', () => {
    for (const cause of [
      new AggregateError([]),
      new Error(''),
      new AggregateError([new Error('')]),
    ]) {
      assert.match(new CallError(cause, 'a.example:1').message, /\w+ \(a\.example:1\)$/)
    }
  })

  it('contains nothing of an answer that its cause contains', () => {
    const cause = Object.assign(new Error('Parse Error'), { data: 'canary', request: ['canary'] })
    assert(!inspectAll(new CallError(cause, 'a.example:1')).includes('canary'))
  })

  for (const code of [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
    'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
  ]) {
    it(`with the code ${code} is a refusal by TLS`, () => {
      assert.equal(isTlsRefusal({ code }), true)
    })
  }

  for (const code of [
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC',
    'ERR_SSL_TLSV1_ALERT_USER_CANCELLED',
    'ECONNRESET',
    'UND_ERR_SOCKET',
    undefined,
  ]) {
    it(`with the code ${code} may occur after the request was read`, () => {
      assert.equal(isTlsRefusal({ code }), false)
    })
  }
})
