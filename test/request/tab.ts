import { cookieOf, FRAGMENT, type Heard, NAVIGATION, type Site } from './site.js'

/** A browser tab: it keeps the cookies of its site in a jar that tabs may share. */
export class Tab {
  readonly #site: Site
  readonly #jar: { cookie?: string }
  #url = ''

  constructor(site: Site, jar: { cookie?: string } = {}) {
    this.#site = site
    this.#jar = jar
  }

  async open(path: string): Promise<Heard> {
    this.#url = `${this.#site.url}${path}`
    const answer = await this.#site.get(path, { ...NAVIGATION, ...this.#jar })
    const cookie = cookieOf(answer)
    if (cookie !== undefined) this.#jar.cookie = cookie
    return answer
  }

  fetch(path: string): Promise<Heard> {
    return this.#site.get(path, { ...FRAGMENT, ...this.#jar, referer: this.#url })
  }
}

/** The campaigns with this outcome, in order. */
export function campaigns(site: Site, outcome: string): unknown[] {
  return site.outcomes
    .filter((event) => event.outcome === outcome)
    .map(({ campaignId }) => campaignId)
    .sort((one, other) => Number(one) - Number(other))
}
