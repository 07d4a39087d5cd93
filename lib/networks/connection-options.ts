import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { isProxyUrl } from './proxy.js'

/**
 * Certificates or keys in PEM format.
 *
 * @inline
 */
export type Pem = string | Buffer

/** How a network is reached. */
export interface ConnectionOptions {
  /**
   * The URL of an HTTP proxy, for a host that reaches the network only through one:
   * `http://user:password@proxy.example:3128`. Calls go through a tunnel (`CONNECT`), so the proxy
   * sees neither the key nor the impressions. Default: none, or with `NODE_USE_ENV_PROXY=1` in the
   * environment what `HTTPS_PROXY` and `NO_PROXY` say.
   */
  readonly proxy?: string | undefined
  /** Certificates in PEM format. Default: none. */
  readonly tls?:
    | {
        /**
         * The certificate authorities to trust instead of the well-known ones. To add one, set
         * `NODE_EXTRA_CA_CERTS` in the environment.
         */
        ca?: Pem | Pem[] | undefined
        /** The client certificate, for a network or gateway that asks for one. */
        cert?: Pem | undefined
        /** The private key of `cert`. */
        key?: Pem | undefined
      }
    | undefined
}

const pem = z.custom<Pem>(
  (value) => typeof value === 'string' || Buffer.isBuffer(value),
  'expected PEM, as a string or a Buffer',
)

const tls = z
  .strictObject({
    ca: z.union([pem, z.array(pem)], 'expected PEM, or an array of it').optional(),
    cert: pem.optional(),
    key: pem.optional(),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'expected cert and key together',
  })
  .refine(({ cert, key }) => isPair(cert, key), {
    error: 'expected a certificate in PEM format as cert, and its private key as key',
  })
  .refine(({ ca = [] }) => [ca].flat().every(isCertificate), {
    error: 'expected certificates in PEM format as ca',
  })

/** The schemas of `ConnectionOptions`. */
export const connectionShape = {
  proxy: z
    .string()
    .refine(isProxyUrl, 'expected the URL of an http or https proxy, such as http://proxy:3128')
    .optional(),
  tls: tls.optional(),
}

function isPair(cert: Pem | undefined, key: Pem | undefined): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch {
    // The error is not shown: the key may be in it.
    return false
  }
}

/** A secure context silently ignores a `ca` that is not a certificate. */
function isCertificate(ca: Pem): boolean {
  try {
    return new X509Certificate(ca).subject !== undefined
  } catch {
    return false
  }
}
