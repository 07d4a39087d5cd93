import { describe, describeError, InvalidImpressionError } from '../errors.js'
import type { Log } from '../logger.js'
import type { Fields, Network } from './network.js'

/** Past this many different stray fields no more are named: their names may be a client's. */
const MAX_STRAYS_TOLD = 200

/** What could be read of an input. */
export interface ReadInput {
  readonly fields: Fields
  /** What is wrong with the first field that could not be. The others may tell whose it is. */
  readonly failure: InvalidImpressionError | undefined
}

/** Reads what `trackImpression` was given, and tells whose it is. */
export class InputReader<Lane extends { readonly network: Network }> {
  readonly #lanes: readonly Lane[]
  readonly #names: readonly string[]
  readonly #blank: Readonly<Record<string, unknown>>
  readonly #known: ReadonlyMap<Lane, ReadonlySet<string>>
  readonly #straysTold = new Set<string>()
  readonly #log: Log

  constructor(lanes: readonly Lane[], log: Log) {
    const common = ['campaignId', 'network']
    this.#lanes = lanes
    this.#names = [...new Set([...common, ...lanes.flatMap((lane) => lane.network.fields)])]
    this.#blank = Object.fromEntries(this.#names.map((name) => [name, undefined]))
    this.#known = new Map(lanes.map((lane) => [lane, new Set([...common, ...lane.network.fields])]))
    this.#log = log
  }

  /**
   * Every field that some network knows, each read once: a getter may throw, or answer differently
   * the next time.
   *
   * @throws {InvalidImpressionError} if the input is no object
   */
  read(input: unknown): ReadInput {
    if (typeof input !== 'object' || input === null) {
      throw new InvalidImpressionError(
        'input',
        'an object such as { campaignId, placement }',
        input,
      )
    }
    const given: Fields = input as Fields
    // A copy of one shape: to build it anew, field by field, took three times as long.
    const fields: Record<string, unknown> = { ...this.#blank }
    let failure: InvalidImpressionError | undefined
    for (const name of this.#names) {
      try {
        const value = given[name]
        // Most inputs leave most fields out: not to write those again takes a third off the time.
        if (value !== undefined) fields[name] = value
      } catch (thrown) {
        const expected = `a value that can be read (reading it threw: ${describeError(thrown)})`
        failure ??= new InvalidImpressionError(name, expected, undefined)
      }
    }
    return { fields, failure }
  }

  /**
   * The lane that the input names, or else the only one, or else the one whose network knows the
   * shape.
   *
   * @throws {InvalidImpressionError} if that does not tell
   */
  findChannel(fields: Fields): Lane {
    const { network: name } = fields
    const lanes = this.#lanes
    if (name !== undefined) {
      const named = lanes.find(({ network }) => network.name === name)
      if (named) return named
      const names = lanes.map(({ network }) => `'${network.name}'`).join(' or ')
      throw new InvalidImpressionError('network', names, name)
    }
    const [only] = lanes
    if (only && lanes.length === 1) return only

    let likely: Lane | undefined
    for (const lane of lanes) {
      const match = lane.network.match(fields)
      if (match === 'certain') return lane
      if (match === 'likely') likely ??= lane
    }
    if (likely) return likely
    throw new InvalidImpressionError('campaignId', 'the id of a campaign', fields.campaignId)
  }

  /** A whole ad object may be passed: what the network has no field for is left out, and told once. */
  warnUnknownFields(input: object, lane: Lane): void {
    if (this.#straysTold.size >= MAX_STRAYS_TOLD) return
    const known = this.#known.get(lane)
    for (const name of fieldNames(input)) {
      if (known?.has(name)) continue
      const stray = `${lane.network.name}: ${describe(name)}`
      if (this.#straysTold.has(stray) || this.#straysTold.size >= MAX_STRAYS_TOLD) continue
      this.#straysTold.add(stray)
      this.#log.warn(`stray field ${stray}`, `${stray} is no field of this network: left out`)
    }
  }
}

/** An object that does not tell its fields' names may be valid all the same. */
function fieldNames(input: object): readonly string[] {
  try {
    return Object.keys(input)
  } catch {
    return []
  }
}
