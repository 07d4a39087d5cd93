import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import type { Log } from '../logger.js'
import { copyText } from '../request/copy-text.js'
import { type Cdn, readCountry, toCountry } from './country.js'
import { type Device, isDevice, readDevice } from './device.js'
import { cleanSearchQuery, MAX_SEARCH_QUERY_CHARACTERS } from './search-query.js'

/** What a request tells of the person; each part is read when it is first asked for. */
export interface Viewer {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | undefined
  readonly device: Device | undefined
  /** At most 1,024 characters, none of them a control character. */
  readonly searchQuery: string | undefined
}

/** Where the viewer's traits come from. `source` is what the framework calls a request. */
export interface ViewerOptions<Source> {
  readonly country?: Cdn | ((source: Source) => string | null | undefined) | undefined
  readonly device?: ((source: Source) => Device | null | undefined) | undefined
  readonly searchQuery?: ((source: Source) => string | null | undefined) | undefined
}

/** The viewer behind one request. */
export class RequestViewer<Source> implements Viewer {
  readonly #req: IncomingMessage
  readonly #source: Source
  readonly #options: ViewerOptions<Source>
  readonly #log: Log
  /** `null` until it is first asked for. */
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
    if (this.#country === null) this.#country = this.#findCountry()
    return this.#country
  }

  get device(): Device | undefined {
    if (this.#device === null) this.#device = this.#findDevice()
    return this.#device
  }

  get searchQuery(): string | undefined {
    if (this.#searchQuery === null) this.#searchQuery = this.#findSearchQuery()
    return this.#searchQuery
  }

  #findCountry(): string | undefined {
    const { country } = this.#options
    if (country === undefined) return undefined
    if (typeof country === 'string') return readCountry(country, this.#req.headers)
    const answer = callOption('country', country, this.#source, this.#log)
    // Two letters that name no country are how sources of countries say that they do not know.
    if (isKnown(answer) && !(typeof answer === 'string' && answer.length <= 2)) {
      this.#log.warn(
        'option country',
        'the option country: expected an ISO 3166-1 alpha-2 code such as US; left out',
      )
    }
    return toCountry(answer)
  }

  #findDevice(): Device | undefined {
    const { device } = this.#options
    if (device === undefined) return readDevice(this.#req.headers)
    const answer = callOption('device', device, this.#source, this.#log)
    if (isDevice(answer)) return answer
    if (isKnown(answer))
      this.#log.warn(
        'option device',
        "the option device: expected 'mobile', 'desktop' or 'tablet'; left out",
      )
    return undefined
  }

  #findSearchQuery(): string | undefined {
    const { searchQuery } = this.#options
    if (searchQuery === undefined) return undefined
    const answer = callOption('searchQuery', searchQuery, this.#source, this.#log)
    if (!isKnown(answer)) return undefined
    if (typeof answer === 'string' && answer.length <= MAX_SEARCH_QUERY_CHARACTERS) {
      return cleanSearchQuery(copyText(answer))
    }
    this.#log.warn(
      'option searchQuery',
      `the option searchQuery: expected a text of at most ${MAX_SEARCH_QUERY_CHARACTERS} characters; left out`,
    )
    return undefined
  }
}

/** Whether there is an answer at all: `null` and `undefined` say that the trait is not known. */
function isKnown(answer: unknown): boolean {
  return answer !== FAILED && answer != null
}
