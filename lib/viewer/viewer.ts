import type { IncomingMessage } from 'node:http'
import type { Log } from '../logger.js'
import { ask, NO_ANSWER } from './ask.js'
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
export function viewerOf<Source>(
  req: IncomingMessage,
  source: Source,
  options: ViewerOptions<Source>,
  log: Log,
): Viewer {
  let country: string | undefined | null = null
  let device: Device | undefined | null = null
  let searchQuery: string | undefined | null = null

  return {
    get country() {
      if (country === null) country = findCountry()
      return country
    },
    get device() {
      if (device === null) device = findDevice()
      return device
    },
    get searchQuery() {
      if (searchQuery === null) searchQuery = findSearchQuery()
      return searchQuery
    },
  }

  function findCountry(): string | undefined {
    if (options.country === undefined) return undefined
    if (typeof options.country === 'string') return readCountry(options.country, req.headers)
    const answer = ask('country', options.country, source, log)
    // Two letters that name no country are how sources of countries say that they do not know.
    if (isTold(answer) && !(typeof answer === 'string' && answer.length <= 2)) {
      log.warn(
        'option country',
        'the option country: expected an ISO 3166-1 alpha-2 code such as US; left out',
      )
    }
    return toCountry(answer)
  }

  function findDevice(): Device | undefined {
    if (options.device === undefined) return readDevice(req.headers)
    const answer = ask('device', options.device, source, log)
    if (isDevice(answer)) return answer
    if (isTold(answer))
      log.warn(
        'option device',
        "the option device: expected 'mobile', 'desktop' or 'tablet'; left out",
      )
    return undefined
  }

  function findSearchQuery(): string | undefined {
    if (options.searchQuery === undefined) return undefined
    const answer = ask('searchQuery', options.searchQuery, source, log)
    if (!isTold(answer)) return undefined
    if (typeof answer === 'string' && answer.length <= MAX_SEARCH_QUERY_CHARACTERS) {
      return cleanSearchQuery(answer)
    }
    log.warn(
      'option searchQuery',
      `the option searchQuery: expected a text of at most ${MAX_SEARCH_QUERY_CHARACTERS} characters; left out`,
    )
    return undefined
  }
}

/** Whether there is an answer at all: `null` and `undefined` say that the trait is not known. */
function isTold(answer: unknown): boolean {
  return answer !== NO_ANSWER && answer != null
}
