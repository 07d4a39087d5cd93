import type { Clock } from '../../clock.js'
import type { Log } from '../../logger.js'
import { builtInNetworks } from '../../networks/built-in-networks.js'
import type { Network } from '../../networks/network.js'
import { Inspector, type InspectorOption } from './inspector.js'
import type { QuerySource } from './shown-reason.js'

/** The options that the inspector depends on. */
export interface InspectorConfiguration<Source> {
  readonly inspector: InspectorOption<Source>
  readonly networks: readonly Network[]
  readonly searchQuery: unknown
}

/**
 * Creates the inspector; `undefined` if nobody may see it, so that nothing is recorded. In production
 * that is so without `allow`.
 *
 * @param basePath the path below which it is
 */
export function createInspector<Source>(
  configuration: InspectorConfiguration<Source>,
  basePath: string,
  clock: Clock,
  log: Log,
): Inspector<Source> | undefined {
  const { inspector: option, networks, searchQuery } = configuration
  const isProduction = process.env.NODE_ENV === 'production'
  if (option === false || (option === true && isProduction)) return undefined
  const querySourceFor = (name: string): QuerySource => {
    const isBuiltIn = Object.hasOwn(builtInNetworks, name)
    const network = networks.find((configured) => configured.name === name)
    const hasField = network?.fields.includes('searchQuery') === true
    if (isBuiltIn) return hasField ? 'answer' : 'nothing'
    // A network of the user's own may send what the option returns in any field.
    return hasField || searchQuery !== undefined ? 'verdict' : 'nothing'
  }
  return new Inspector({ option, path: `${basePath}/inspector`, querySourceFor, clock, log })
}
