import { type Display, describeDisplay } from '../counting/outcome-log.js'
import { UNKNOWN_NETWORK } from '../counting/statistics.js'
import {
  describeError,
  InvalidImpressionError,
  toInvalidImpressionError,
  toOneLine,
} from '../errors.js'
import type { Log } from '../logger.js'
import type { Fields, Network, Parsed } from './network.js'
import { SharedTexts } from './shared-texts.js'
import { COMMON_FIELDS, UnknownFieldWarnings } from './unknown-fields.js'

/** The result of reading an input. */
export interface ReadInput {
  readonly fields: Fields
  /** The error of the first unreadable field. The other fields may still identify the network. */
  readonly failure: InvalidImpressionError | undefined
}

/** Reads the input of `trackImpression` and finds the network that it is for. */
export class InputReader<Channel extends { readonly network: Network }> {
  readonly #channels: readonly Channel[]
  readonly #fieldNames: readonly string[]
  readonly #blankFields: Fields
  readonly #unknownFields: UnknownFieldWarnings
  readonly #texts = new SharedTexts()
  readonly #log: Log

  constructor(channels: readonly Channel[], log: Log) {
    const networks = channels.map(({ network }) => network)
    const names = new Set([...COMMON_FIELDS, ...networks.flatMap(({ fields }) => fields)])
    this.#channels = channels
    this.#fieldNames = [...names]
    this.#blankFields = Object.fromEntries(this.#fieldNames.map((name) => [name, undefined]))
    this.#unknownFields = new UnknownFieldWarnings(networks, log)
    this.#log = log
  }

  /**
   * Reads every field that some network knows. Each is read once, because a getter may throw, or
   * return something else the next time. Texts are copied, because a page may have cut them out of
   * its request, and impressions outlive requests.
   *
   * @throws {InvalidImpressionError} if the input is not an object
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
    // Copying an object of one shape is much faster than adding the fields one by one.
    const fields: Record<string, unknown> = { ...this.#blankFields }
    let failure: InvalidImpressionError | undefined
    for (const name of this.#fieldNames) {
      try {
        const value = given[name]
        // `null` means "not given", for every network. Most inputs omit most fields, and not writing
        // `undefined` again saves time.
        if (value != null)
          fields[name] = typeof value === 'string' ? this.#texts.copy(value) : value
      } catch (thrown) {
        const expected = `a value that can be read (reading it threw: ${describeError(thrown)})`
        failure ??= new InvalidImpressionError(name, expected, undefined)
      }
    }
    return { fields, failure }
  }

  /**
   * Finds the channel of the network that an input is for: the one it names, else the only one, else
   * the one that the shape of the input fits best.
   *
   * @throws {InvalidImpressionError} if the network cannot be determined
   */
  findChannel(fields: Fields): Channel {
    const channels = this.#channels
    if (fields.network !== undefined) return this.#findByName(fields.network)
    const [only] = channels
    if (only && channels.length === 1) return only

    let likely: Channel | undefined
    for (const channel of channels) {
      const match = channel.network.match(fields)
      if (match === 'certain') return channel
      if (match === 'likely') likely ??= channel
    }
    if (likely) return likely
    throw new InvalidImpressionError('campaignId', 'the id of a campaign', fields.campaignId)
  }

  #findByName(name: unknown): Channel {
    const named = this.#channels.find(({ network }) => network.name === name)
    if (named) return named
    const names = this.#channels.map(({ network }) => `'${network.name}'`)
    throw new InvalidImpressionError('network', names.join(' or '), name)
  }

  /** Warns about an input that cannot be sent. `channel` is `undefined` if none was found for it. */
  warnInvalid(
    { field, given, message }: InvalidImpressionError,
    channel: Channel | undefined,
    display: Display & { readonly requestId: string },
  ): void {
    const network = channel?.network.name ?? UNKNOWN_NETWORK
    const forNetwork = channel ? ` for ${network}` : ''
    this.#log.warn(
      `invalid-input ${network} ${field} ${given}`,
      `invalid impression${forNetwork}: ${message}${describeDisplay(display)}`,
      { network, field, ...display },
    )
  }

  /** Warns about the wrong values that an impression counts without, one message per field. */
  warnIgnoredFields(
    ignored: Parsed<unknown>['ignored'] = [],
    { network: { name } }: Channel,
  ): void {
    for (const error of ignored) {
      const { field, message } = toInvalidImpressionError(error)
      const fields = { network: name, field }
      this.#log.warn(
        `ignored-field ${name} ${field}`,
        `${name}: ${message}; counted without it`,
        fields,
      )
    }
  }

  /** Warns, once for each, about fields that the network does not have. They are ignored. */
  warnUnknownFields(input: object, { network }: Channel): void {
    this.#unknownFields.warn(input, network)
  }

  /** The same for an invalid input, but only about fields that may be the missing ones. */
  warnMisspeltFields(input: object, channel: Channel | undefined): void {
    this.#unknownFields.warnMisspelt(input, channel?.network)
  }
}

/** Longer values identify nothing. */
const MAX_ID_CHARACTERS = 64
const MAX_PLACEMENT_CHARACTERS = 256

/** What an invalid input is about, as far as it says, for its outcome event. */
export function identifyInput({ campaignId, placement, offerId }: Fields = {}) {
  return {
    campaignId:
      typeof campaignId === 'number' ? campaignId : readText(campaignId, MAX_ID_CHARACTERS),
    placement: readText(placement, MAX_PLACEMENT_CHARACTERS),
    offerId: readText(offerId, MAX_ID_CHARACTERS),
  }
}

function readText(value: unknown, maxCharacters: number): string | undefined {
  return typeof value === 'string' && value.length <= maxCharacters ? toOneLine(value) : undefined
}
