import {
  type AdSite,
  FRAGMENT_HEADERS,
  NAVIGATION_HEADERS,
  type PageResponse,
  toCookieHeader,
} from './ad-site.js'

/** A browser tab. It keeps its cookies in a jar, which tabs may share. */
export class BrowserTab {
  readonly #site: AdSite
  readonly #jar: { cookie?: string }
  #url = ''

  constructor(site: AdSite, jar: { cookie?: string } = {}) {
    this.#site = site
    this.#jar = jar
  }

  async open(path: string): Promise<PageResponse> {
    this.#url = `${this.#site.url}${path}`
    const response = await this.#site.get(path, { ...NAVIGATION_HEADERS, ...this.#jar })
    const cookie = toCookieHeader(response)
    if (cookie !== undefined) this.#jar.cookie = cookie
    return response
  }

  fetch(path: string): Promise<PageResponse> {
    return this.#site.get(path, { ...FRAGMENT_HEADERS, ...this.#jar, referer: this.#url })
  }
}
