import { describeValue } from '../errors.js'
import type { Log } from '../logger.js'
import type { Network } from './network.js'

/** The fields that an input of any network may have. */
export const COMMON_FIELDS: readonly string[] = ['campaignId', 'network']

/** Stop warning after this many names: they may come from a client, and each one is remembered. */
const MAX_WARNINGS = 200

/**
 * Warns about the fields of an input that its network does not have. They are ignored, because an
 * application may pass a whole ad object.
 */
export class UnknownFieldWarnings {
  readonly #knownFields: ReadonlyMap<Network, ReadonlySet<string>>
  readonly #warned = new Set<string>()
  readonly #log: Log

  constructor(networks: readonly Network[], log: Log) {
    this.#knownFields = new Map(
      networks.map((network) => [network, new Set([...COMMON_FIELDS, ...network.fields])]),
    )
    this.#log = log
  }

  /** Warns once per network and field name. */
  warn(input: object, network: Network): void {
    if (this.#warned.size >= MAX_WARNINGS) return
    const known = this.#knownFields.get(network)
    for (const name of listFieldNames(input)) {
      if (!known?.has(name)) this.#warnOnce(`${network.name}: ${describeValue(name)}`)
    }
  }

  #warnOnce(field: string): void {
    if (this.#warned.has(field) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(field)
    this.#log.warn(`unknown field ${field}`, `${field} is not a field of this network; ignored`)
  }
}

/** None if the input is a proxy that refuses to list them; it may be valid all the same. */
function listFieldNames(input: object): readonly string[] {
  try {
    return Object.keys(input)
  } catch {
    return []
  }
}
