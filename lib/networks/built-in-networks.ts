import { ConfigurationError } from '../errors.js'
import { apiKeyVariable, type BuiltInOptions } from './built-in-options.js'
import * as factories from './index.js'
import type { Network } from './network.js'

/** Creates a built-in network. */
export type BuiltInFactory = (options?: BuiltInOptions) => Network

const byName: Readonly<Record<keyof typeof factories, BuiltInFactory>> = factories

/**
 * The factories of the built-in networks by name, from Z to A: an import namespace is sorted, and
 * `stats()` has always listed ENS before Closient.
 */
export const builtInNetworks: Readonly<Record<string, BuiltInFactory>> = Object.fromEntries(
  Object.entries(byName).reverse(),
)

/** How a user writes the built-in networks, for error messages: `ens(), closient()`. */
export function listBuiltInCalls(options = ''): string {
  return Object.keys(builtInNetworks)
    .map((name) => `${name}(${options})`)
    .join(', ')
}

/**
 * The built-in networks whose API key is in the environment.
 *
 * @throws {ConfigurationError} `no-network` if there is none, or whatever is wrong with the values
 */
export function networksFromEnvironment(): readonly Network[] {
  const networks = Object.entries(builtInNetworks)
    .filter(([name]) => process.env[apiKeyVariable(name)])
    .map(([, create]) => create())
  if (networks.length > 0) return networks
  const variables = Object.keys(builtInNetworks).map(apiKeyVariable)
  throw new ConfigurationError(
    'no-network',
    `no network is configured: set ${variables.join(' or ')} in the environment, ` +
      `or pass impressions({ networks: [${listBuiltInCalls('{ apiKey }')}] })`,
  )
}
