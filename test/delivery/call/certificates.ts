import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificates extends Disposable {
  /** A certificate authority that no system trusts. */
  readonly ca: string
  readonly caFile: string
  /** For localhost and 127.0.0.1, issued by `ca`. */
  readonly server: Certificate
  /** For another host, issued by `ca`. */
  readonly otherHost: Certificate
  /** A client certificate issued by `ca`. */
  readonly client: Certificate
  /** A self-signed certificate. */
  readonly selfSigned: Certificate
}

/** Creates certificates with OpenSSL. */
export function createCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'ad-impressions-'))
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const read = (name: string): Certificate => ({
    certFile: file(`${name}.crt`),
    keyFile: file(`${name}.key`),
    cert: readFileSync(file(`${name}.crt`), 'utf8'),
    key: readFileSync(file(`${name}.key`), 'utf8'),
  })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const createSelfSigned = (name: string): Certificate => {
    const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
    openssl('req', '-x509', ...newKey, ...files, '-days', '2', '-subj', `/CN=${name}`)
    return read(name)
  }
  const { cert: ca, certFile: caFile } = createSelfSigned('ca')
  const issue = (name: string, subjectAltName: string): Certificate => {
    const request = ['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)]
    openssl('req', ...newKey, ...request, '-subj', `/CN=${name}`)
    writeFileSync(file(`${name}.ext`), `subjectAltName=${subjectAltName}`)
    const issuer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial']
    const files = ['-in', file(`${name}.csr`), '-out', file(`${name}.crt`)]
    openssl('x509', '-req', ...issuer, ...files, '-days', '2', '-extfile', file(`${name}.ext`))
    return read(name)
  }
  return {
    ca,
    caFile,
    server: issue('server', 'DNS:localhost,IP:127.0.0.1'),
    otherHost: issue('other', 'DNS:another.example'),
    client: issue('client', 'DNS:client.example'),
    selfSigned: createSelfSigned('self-signed'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
