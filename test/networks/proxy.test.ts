import assert from 'node:assert/strict'
import { ConfigurationError } from '../../lib/errors.js'
import { closient } from '../../lib/networks/closient.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import { ens } from '../../lib/networks/ens.js'
import { inspectAll } from './canaries.js'
import { type Environment, withEnvironment } from './environment.js'

const PROXY = 'http://proxy.example:3128'
const SECRET = 'http://user:canary-password@proxy.example:3128'

const acme = {
  name: 'acme',
  baseUrl: 'https://ads.acme.example',
  fields: [],
  parse: () => ({ campaignId: 1, item: 1 }),
  request: () => ({ method: 'POST', path: '/', headers: {}, body: '' }) as const,
}

/** The proxy through which a network at `baseUrl` is called. */
function proxyFor(baseUrl: string, environment: Environment, proxy?: string): string | undefined {
  return withEnvironment(environment, () =>
    ens({ apiKey: 'k', baseUrl, proxy }).connectionOptions(),
  ).proxy
}

describe('the proxy option', () => {
  it('is there for every network', () => {
    for (const network of [
      ens({ apiKey: 'k', proxy: PROXY }),
      closient({ apiKey: 'k', proxy: PROXY }),
      defineNetwork({ ...acme, proxy: PROXY }),
    ]) {
      assert.equal(network.connectionOptions().proxy, PROXY)
    }
  })

  it('stays with a network that is made of another, unless that has its own', () => {
    const network = ens({ apiKey: 'k', proxy: PROXY })
    assert.equal(defineNetwork({ ...network }).connectionOptions().proxy, PROXY)
    const other = 'http://other.example'
    assert.equal(defineNetwork({ ...network, proxy: other }).connectionOptions().proxy, other)
  })

  it('takes precedence over the environment', () => {
    const environment = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: PROXY, NO_PROXY: '*' }
    const option = 'https://other.example'
    assert.equal(proxyFor('https://ads.example', environment, option), option)
  })

  for (const wrong of [
    'proxy.example:3128',
    '/proxy',
    'socks5://user:canary-password@proxy.example',
    'http://user:canary-password%@proxy.example',
    '',
  ]) {
    it(`is refused, and not shown, if it is ${JSON.stringify(wrong)}`, () => {
      for (const [create, code] of [
        [() => ens({ apiKey: 'k', proxy: wrong }), 'invalid-options'],
        [() => defineNetwork({ ...acme, proxy: wrong }), 'invalid-network'],
      ] as const) {
        assert.throws(create, (error) => {
          assert(error instanceof ConfigurationError)
          assert.equal(error.code, code)
          assert.match(error.message, /proxy: expected the URL of an http or https proxy/)
          assert(!inspectAll(error).includes('canary'))
          return true
        })
      }
    })
  }

  it('on another host is refused if the network is called without TLS', () => {
    assert.throws(
      () => ens({ apiKey: 'k', baseUrl: 'http://localhost:4600', proxy: SECRET }),
      (error) => {
        assert(error instanceof ConfigurationError)
        assert.equal(error.code, 'insecure-base-url')
        assert(!inspectAll(error).includes('canary'))
        return true
      },
    )
    const proxy = 'http://127.0.0.1:3128'
    assert.equal(proxyFor('http://localhost:4600', {}, proxy), proxy)
  })

  it('does not show its password where a network is printed', () => {
    for (const network of [
      ens({ apiKey: 'k', proxy: SECRET }),
      defineNetwork({ ...acme, proxy: SECRET }),
    ]) {
      assert(!inspectAll(network).includes('canary'))
    }
  })
})

describe("the environment's proxy", () => {
  const BASE_URL = 'https://ads.example'
  const PROXIED = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: PROXY }

  it('is used only if NODE_USE_ENV_PROXY is 1, as by Node', () => {
    assert.equal(proxyFor(BASE_URL, PROXIED), PROXY)
    assert.equal(proxyFor(BASE_URL, { HTTPS_PROXY: PROXY }), undefined)
    assert.equal(proxyFor(BASE_URL, { ...PROXIED, NODE_USE_ENV_PROXY: '0' }), undefined)
    assert.equal(proxyFor(BASE_URL, { NODE_USE_ENV_PROXY: '1' }), undefined)
  })

  it('is named in lower case or in capitals, and lower case takes precedence', () => {
    const lower = 'http://lower.example'
    assert.equal(proxyFor(BASE_URL, { ...PROXIED, https_proxy: lower }), lower)
    assert.equal(proxyFor(BASE_URL, { NODE_USE_ENV_PROXY: '1', https_proxy: lower }), lower)
    assert.equal(proxyFor(BASE_URL, { ...PROXIED, no_proxy: 'x', NO_PROXY: '*' }), PROXY)
  })

  it('is not used for a network that is called without TLS on this machine', () => {
    assert.equal(proxyFor('http://127.0.0.1:4600', { ...PROXIED }), undefined)
    assert.equal(proxyFor('https://127.0.0.1:4600', { ...PROXIED }), PROXY)
  })

  it('is used for every network', () => {
    withEnvironment(PROXIED, () => {
      assert.equal(closient({ apiKey: 'k' }).connectionOptions().proxy, PROXY)
      assert.equal(defineNetwork(acme).connectionOptions().proxy, PROXY)
    })
  })

  it('is refused, and not shown, if it is no URL', () => {
    const wrong = { ...PROXIED, HTTPS_PROXY: 'user:canary-password@proxy.example' }
    assert.throws(
      () => proxyFor(BASE_URL, wrong),
      (error) => {
        assert(error instanceof ConfigurationError)
        assert.equal(error.code, 'invalid-options')
        assert.match(error.message, /HTTPS_PROXY: expected the URL/)
        assert(!inspectAll(error).includes('canary'))
        return true
      },
    )
  })

  for (const [noProxy, excluded, included] of [
    ['*', ['https://a.example'], []],
    ['ads.example', ['https://ads.example', 'https://ADS.example:8443'], ['https://x.ads.example']],
    ['.example.com', ['https://a.example.com', 'https://example.com'], ['https://badexample.com']],
    ['*.example.com', ['https://a.b.example.com'], ['https://example.org']],
    ['ads.example:8443', ['https://ads.example:8443'], ['https://ads.example']],
    ['ads.example:443', ['https://ads.example'], ['https://ads.example:8443']],
    ['10.0.0.7', ['https://10.0.0.7'], ['https://10.0.0.70']],
    ['10.0.0.1-10.0.1.5', ['https://10.0.0.200', 'https://10.0.1.5'], ['https://10.0.1.6']],
    ['10.0.0.1-10.0.0.9', [], ['https://ads.example', 'https://[::1]']],
    ['[::1]', ['https://[::1]', 'https://[::1]:8443'], ['https://[::2]']],
    ['::1', ['https://[::1]'], ['https://[::2]']],
    ['a.example, ADS.example  b.example', ['https://ads.example'], ['https://c.example']],
    [' , ,', [], ['https://ads.example']],
    ['my-host', ['https://my-host'], ['https://my']],
  ] as const) {
    it(`is used as NO_PROXY says: ${JSON.stringify(noProxy)}`, () => {
      const environment = { ...PROXIED, NO_PROXY: noProxy }
      for (const url of excluded) assert.equal(proxyFor(url, environment), undefined, url)
      for (const url of included) assert.equal(proxyFor(url, environment), PROXY, url)
    })
  }
})
