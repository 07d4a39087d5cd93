import { type Clock, systemClock } from '../../clock.js'
import { type CallEnd, createTransport } from '../../delivery/call/transport.js'
import { describeError } from '../../errors.js'
import type { Answer } from '../../networks/answer.js'
import { builtInNetworks } from '../../networks/built-in-networks.js'
import { apiKeyVariable, baseUrlVariable } from '../../networks/built-in-options.js'
import { isLoopback } from '../../networks/check-base-url.js'
import type { Network, NetworkRequest } from '../../networks/network.js'
import type { Finding } from './finding.js'

/** How long a host may take to answer. */
const TIMEOUT_MS = 10_000

/** `Date` has whole seconds, and the answer was on its way. */
const MAX_SKEW_MS = 10_000

/** No API has its root here, so nothing counts, and it carries no key. */
const REQUEST: NetworkRequest = { method: 'GET', path: '/', headers: {}, body: '' }

/** The networks that the environment configures, and whether their hosts answer. */
export async function checkNetworks(clock: Clock = systemClock): Promise<Finding[]> {
  const names = Object.keys(builtInNetworks)
  const checks = names.map((name) => checkNetwork(name, clock))
  const findings = await Promise.all([...checks, checkAnyKey(names)])
  return findings.flat()
}

function checkAnyKey(names: readonly string[]): Finding[] {
  const variables = names.map(apiKeyVariable)
  if (variables.some((variable) => process.env[variable])) return []
  const text =
    `no network is configured: set ${variables.join(' or ')} in the environment of this command, ` +
    'as for your server; keys that only your code knows are not checked'
  return [{ level: 'problem', text }]
}

async function checkNetwork(name: string, clock: Clock): Promise<Finding[]> {
  const variable = apiKeyVariable(name)
  if (!process.env[variable]) {
    return [{ level: 'note', text: `${name}: not configured: ${variable} is not set` }]
  }
  try {
    const network = builtInNetworks[name]?.()
    return network ? await checkConfigured(network, clock) : []
  } catch (thrown) {
    // A ConfigurationError says what to do, and withholds what may be secret.
    const text = describeError(thrown).replace(/^ad-impressions: /, '')
    return [{ level: 'problem', text }]
  }
}

async function checkConfigured(network: Network, clock: Clock): Promise<Finding[]> {
  const { name, baseUrl, warnings } = network
  const source = process.env[baseUrlVariable(name)]
    ? `the host in ${baseUrlVariable(name)}`
    : "the network's published host"
  const configured: Finding = {
    level: 'ok',
    text: `${name}: key from ${apiKeyVariable(name)}; ${new URL(baseUrl).origin}, ${source}`,
  }
  const suspicious = warnings.map(
    (warning): Finding => ({ level: 'problem', text: `${name}: ${warning}` }),
  )
  return [configured, ...suspicious, ...describeEnd(network, await callHost(network, clock))]
}

/** The same way as impressions go: through the same proxy, with the same checks of certificates. */
async function callHost(network: Network, clock: Clock): Promise<CallEnd> {
  const transport = createTransport({ ...network, connections: 1 }, TIMEOUT_MS, clock)
  try {
    return await new Promise((resolve) => transport.send(REQUEST, resolve))
  } finally {
    await transport.destroy()
  }
}

function describeEnd(network: Network, end: CallEnd): Finding[] {
  const { name } = network
  if ('error' in end) {
    const text = `${name}: ${describeError(end.error)}; ${adviceFor(network, end.error.code)}`
    return [{ level: 'problem', text }]
  }
  const { answer } = end
  const route = hasProxy(network) ? ' through the proxy in HTTPS_PROXY' : ''
  const tls = network.baseUrl.startsWith('https:') ? ' over TLS' : ''
  if (answer.status >= 500) {
    const text =
      `${name}: the host answers with HTTP ${answer.status}${route}; try again later, then ask ` +
      'the network'
    return [{ level: 'problem', text }]
  }
  // Without a key and at this path, an error is what the host should answer.
  const answers: Finding = { level: 'ok', text: `${name}: the host answers${tls}${route}` }
  return [answers, checkClock(name, answer)]
}

function hasProxy(network: Network): boolean {
  return network.connectionOptions().proxy !== undefined
}

const DNS_CODE = /^(ENOTFOUND|EAI_AGAIN)$/
const TLS_CODE = /CERT|SIGNATURE|ISSUER|^ERR_(TLS|SSL)_/

function adviceFor(network: Network, code = ''): string {
  const { name } = network
  const { hostname, host } = new URL(network.baseUrl)
  if (TLS_CODE.test(code)) {
    return (
      'if a gateway of yours decrypts TLS, set NODE_EXTRA_CA_CERTS to its certificate authority; ' +
      `else check ${baseUrlVariable(name)} and this machine's clock`
    )
  }
  if (code === 'ECONNREFUSED' && isLoopback(hostname)) {
    return `start the sandbox with \`npx ad-impressions sandbox\`, or check ${baseUrlVariable(name)}`
  }
  if (hasProxy(network)) {
    return `check HTTPS_PROXY, and that the proxy allows connections to ${host}`
  }
  const viaProxy = 'if there is only a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1'
  if (DNS_CODE.test(code)) {
    return `check the host name ${hostname} and this machine's DNS; ${viaProxy}`
  }
  return `allow outgoing connections to ${host} in the firewall; ${viaProxy}`
}

function checkClock(name: string, answer: Answer): Finding {
  const { date, age } = answer.headers
  const dateMs = Date.parse(String(date))
  if (Number.isNaN(dateMs)) {
    return { level: 'note', text: `${name}: the answer has no Date, so the clock is not checked` }
  }
  // A cache in between keeps the date, and says how old the answer is.
  const skewMs = answer.atMs - dateMs - (Number(age) || 0) * 1_000
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  if (Math.abs(skewMs) <= MAX_SKEW_MS) {
    return { level: 'ok', text: `${name}: this machine's clock agrees with the host's` }
  }
  const direction = skewMs > 0 ? 'ahead of' : 'behind'
  const text = `${name}: this machine's clock is ${seconds} s ${direction} the host's; use NTP`
  return { level: 'problem', text }
}
