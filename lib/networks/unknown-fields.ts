import { UNKNOWN_NETWORK } from '../counting/statistics.js'
import { describeValue } from '../errors.js'
import type { Log } from '../logger.js'
import { suggestName } from '../similar-name.js'
import type { Network } from './network.js'

/** The fields that an input of any network may have. */
export const COMMON_FIELDS: readonly string[] = ['campaignId', 'network']

/** Stop warning after this many names: they may come from a client, and each one is remembered. */
const MAX_WARNINGS = 200
/** An input with more fields is not one that a person has misspelt. */
const MAX_COMPARED = 20

/**
 * Warns about the fields of an input that its network does not have. They are ignored, because an
 * application may pass a whole ad object.
 */
export class UnknownFieldWarnings {
  readonly #knownFields: ReadonlyMap<Network, readonly string[]>
  readonly #allFields: readonly string[]
  readonly #warned = new Set<string>()
  readonly #log: Log

  constructor(networks: readonly Network[], log: Log) {
    this.#knownFields = new Map(
      networks.map((network) => [network, [...COMMON_FIELDS, ...network.fields]]),
    )
    this.#allFields = [...this.#knownFields.values()].flat()
    this.#log = log
  }

  /** Warns once per network and field name. */
  warn(input: object, network: Network): void {
    if (this.#warned.size >= MAX_WARNINGS) return
    const known = this.#knownFields.get(network) ?? []
    for (const name of listFieldNames(input)) {
      if (!known.includes(name)) this.#warnOnce(network.name, name, known)
    }
  }

  /**
   * Warns only about names that look like those of fields.
   *
   * @param network `undefined` if the input is for none
   */
  warnMisspelt(input: object, network: Network | undefined): void {
    const known = network ? (this.#knownFields.get(network) ?? []) : this.#allFields
    for (const name of listFieldNames(input).slice(0, MAX_COMPARED)) {
      if (known.includes(name) || suggestName(name, known) === '') continue
      this.#warnOnce(network?.name, name, known)
    }
  }

  #warnOnce(network: string | undefined, name: string, known: readonly string[]): void {
    const field = `${network ?? UNKNOWN_NETWORK}: ${describeValue(name)}`
    if (this.#warned.has(field) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(field)
    this.#log.warn(
      `unknown-field ${field}`,
      `${field} is not a field of ${network ? 'this' : 'any'} network; ignored${suggestName(name, known)}`,
    )
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
