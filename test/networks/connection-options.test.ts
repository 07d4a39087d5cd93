import assert from 'node:assert/strict'
import { ConfigurationError } from '../../lib/errors.js'
import { ens } from '../../lib/networks/ens.js'
import { type Certificates, createCertificates } from '../delivery/call/certificates.js'
import { inspectAll } from './canaries.js'

describe('the tls option', () => {
  let certificates: Certificates

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())

  it('takes PEM as a string, a Buffer, and for ca a list', () => {
    const { ca, client } = certificates
    const { cert, key } = client
    for (const tls of [
      {},
      { ca },
      { ca: [Buffer.from(ca), cert] },
      { cert: Buffer.from(cert), key },
    ]) {
      assert.deepEqual(ens({ apiKey: 'k', tls }).connectionOptions().tls, tls)
    }
  })

  it('does not show the private key where a network is printed', () => {
    const { cert, key } = certificates.client
    const body = key.split('\n')[1] ?? ''
    assert(body.length > 20)
    for (const pem of [key, Buffer.from(key)]) {
      assert(!inspectAll(ens({ apiKey: 'k', tls: { cert, key: pem } })).includes(body))
    }
  })

  it('is refused if it cannot work, and the message shows no value', () => {
    const { ca, client, selfSigned } = certificates
    const { cert, key } = client
    for (const [tls, message] of [
      [{ cert }, /tls: expected cert and key together/],
      [{ key }, /tls: expected cert and key together/],
      [{ cert, key: selfSigned.key }, /tls: expected a certificate in PEM format as cert, and its/],
      [{ cert, key: 'canary' }, /tls: expected a certificate in PEM format as cert, and its/],
      [{ ca: 'canary' }, /tls: expected certificates in PEM format as ca/],
      [{ ca: [ca, key] }, /tls: expected certificates in PEM format as ca/],
      [{ ca: 42 }, /tls\.ca: expected PEM, or an array of it/],
      [{ cert: 42, key }, /tls\.cert: expected PEM, as a string or a Buffer/],
      [{ rejectUnauthorized: false }, /tls\.rejectUnauthorized: there is no such option/],
      ['canary', /tls: expected an object/],
    ] as const) {
      assert.throws(
        () => Reflect.apply(ens, undefined, [{ apiKey: 'k', tls }]),
        (error) => {
          assert(error instanceof ConfigurationError)
          assert.equal(error.code, 'invalid-options')
          assert.match(error.message, message)
          assert(!inspectAll(error).includes('canary') && !inspectAll(error).includes('PRIVATE'))
          return true
        },
      )
    }
  })
})
