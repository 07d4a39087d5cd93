import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import { copyText } from '../impression.js'
import type { Log } from '../logger.js'
import { type Cdn, readCountry, toCountry } from './country.js'
import { type Device, isDevice, readDevice } from './device.js'
import { cleanSearchQuery, MAX_SEARCH_QUERY_CHARACTERS } from './search-query.js'

/** What the request reveals about the person. Each part is read on first use. */
export interface Viewer {
  /** An ISO 3166-1 alpha-2 code in upper case. */
  readonly country: string | undefined
  /** By the option `device`, client hints or the User-Agent. */
  readonly device: Device | undefined
  /** At most 1,024 characters, without control characters. */
  readonly searchQuery: string | undefined
}

/** Where the viewer's traits come from. `source` is the framework's own request object. */
export interface ViewerOptions<Source> {
  readonly country?: Cdn | ((source: Source) => string | null | undefined) | undefined
  readonly device?: ((source: Source) => Device | null | undefined) | undefined
  readonly searchQuery?: ((source: Source) => string | null | undefined) | undefined
}

/** The viewer of one request. */
export class RequestViewer<Source> implements Viewer {
  readonly #req: IncomingMessage
  readonly #source: Source
  readonly #options: ViewerOptions<Source>
  readonly #log: Log
  // Each is `null` until it is read.
  #country: string | undefined | null = null
  #device: Device | undefined | null = null
  #searchQuery: string | undefined | null = null

  constructor(req: IncomingMessage, source: Source, options: ViewerOptions<Source>, log: Log) {
    this.#req = req
    this.#source = source
    this.#options = options
    this.#log = log
  }

  get country(): string | undefined {
    if (this.#country === null) this.#country = this.#readCountry()
    return this.#country
  }

  get device(): Device | undefined {
    if (this.#device === null) this.#device = this.#readDevice()
    return this.#device
  }

  get searchQuery(): string | undefined {
    if (this.#searchQuery === null) this.#searchQuery = this.#readSearchQuery()
    return this.#searchQuery
  }

  #readCountry(): string | undefined {
    const { country } = this.#options
    if (country === undefined) return undefined
    if (typeof country === 'string') return readCountry(country, this.#req.headers)
    const value = callOption('country', country, this.#source, this.#log)
    // Databases return codes such as XX for an unknown country, so two letters cause no warning.
    if (isKnown(value) && !(typeof value === 'string' && value.length <= 2)) {
      this.#log.warn(
        'option-failed country',
        'the option country: expected an ISO 3166-1 alpha-2 code such as US; ignored',
      )
    }
    return toCountry(value)
  }

  #readDevice(): Device | undefined {
    const { device } = this.#options
    if (device === undefined) return readDevice(this.#req.headers)
    const value = callOption('device', device, this.#source, this.#log)
    if (isDevice(value)) return value
    if (isKnown(value))
      this.#log.warn(
        'option-failed device',
        "the option device: expected 'mobile', 'desktop' or 'tablet'; ignored",
      )
    return undefined
  }

  #readSearchQuery(): string | undefined {
    const { searchQuery } = this.#options
    if (searchQuery === undefined) return undefined
    const value = callOption('searchQuery', searchQuery, this.#source, this.#log)
    if (!isKnown(value)) return undefined
    if (typeof value === 'string' && value.length <= MAX_SEARCH_QUERY_CHARACTERS) {
      return cleanSearchQuery(copyText(value))
    }
    this.#log.warn(
      'option-failed searchQuery',
      `the option searchQuery: expected a string of at most ${MAX_SEARCH_QUERY_CHARACTERS} characters; ignored`,
    )
    return undefined
  }
}

/** Whether the user's function returned a value. `null` and `undefined` mean that it is unknown. */
function isKnown(value: unknown): boolean {
  return value !== FAILED && value != null
}
