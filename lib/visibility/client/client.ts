/*
 * The client script: reports each ad once it has been viewable. An ad is viewable when half of its
 * pixels, or 30 % of a large ad's, were in the viewport of a visible tab for one continuous second
 * (MRC Viewable Ad Impression Measurement Guidelines: https://mediaratingcouncil.org/standards-and-guidelines).
 *
 * A classic script without imports: one small file that works under any Content-Security-Policy.
 */

// biome-ignore lint/correctness/noUnusedVariables: extends the DOM's own interface
interface Window {
  /** For tests: `flush()` sends at once what is waiting to be reported. */
  adImpressions?: { flush(): void }
}

;(() => {
  const ATTRIBUTE = 'data-ad-impression'

  const VIEWABLE_MS = 1_000
  const LARGE_AD_PX = 242_500
  const RATIO = 0.5
  const LARGE_AD_RATIO = 0.3
  const SAMPLE_MS = 100
  /** After a longer gap between samples nobody knows what was on the screen meanwhile. */
  const MAX_GAP_MS = 500
  const BATCH_MS = 1_000
  const MAX_RETRY_MS = 60_000
  /** The server's limit. */
  const MAX_TOKENS = 100
  /** Below the limit of 64 KiB for keepalive requests (https://fetch.spec.whatwg.org/#request-keepalive-flag). */
  const MAX_CHARACTERS = 60_000
  /** Where reports go if the script's own URL is unknown: the server writes its path here. */
  const PATH = '/_visible'

  const { getAttribute, getBoundingClientRect, querySelector } = Element.prototype
  let hasWarned = false

  /** An ad that has yet to be viewable: `measure()` only reads the page, `advance()` only the time. */
  class ViewableAd {
    readonly token: string
    /** The element whose pixels count. */
    readonly box: Element
    /** The share of `box` in the viewport, as of the last threshold that it crossed. */
    ratio = 0
    private sampledAtMs = 0
    private viewableSinceMs: number | undefined

    constructor(token: string, box: Element) {
      this.token = token
      this.box = box
    }

    /** Whether enough of the ad is in view and painted. */
    measure(): boolean {
      return this.isEnough(getBoundingClientRect.call(this.box)) && isPainted(this.box)
    }

    /** @returns whether the ad has now been viewable for a full second */
    advance(nowMs: number, isViewable: boolean): boolean {
      if (!isViewable || nowMs - this.sampledAtMs > MAX_GAP_MS) this.restart()
      this.sampledAtMs = nowMs
      if (isViewable) this.viewableSinceMs ??= nowMs
      return nowMs - (this.viewableSinceMs ?? nowMs) >= VIEWABLE_MS
    }

    restart(): void {
      this.viewableSinceMs = undefined
    }

    /** Uses the current size: an ad that grows while in view crosses no threshold. */
    isEnough({ width, height }: DOMRectReadOnly): boolean {
      const area = width * height
      return area > 0 && this.ratio >= (area >= LARGE_AD_PX ? LARGE_AD_RATIO : RATIO)
    }
  }

  /** The ads that have not been viewable yet. */
  const ads = new Map<Element, ViewableAd>()
  const adsByBox = new WeakMap<Element, ViewableAd>()
  /** The tokens reported so far: clones of an ad have the same token. */
  const reported = new Set<string>()
  let viewport: IntersectionObserver
  let endpoint: string
  let sampling: number | undefined

  /**
   * Reads a member from its prototype, because an element whose name or id is that of a member takes
   * its place: https://html.spec.whatwg.org/#dom-document-nameditem
   */
  function read<T extends object, K extends keyof T>(
    type: { prototype: T },
    it: T,
    member: K,
  ): T[K] {
    return Reflect.get(type.prototype, member, it)
  }

  /** Says once that ads may not be counted. */
  function warn(reason: unknown): void {
    if (!hasWarned) console.warn('ad-impressions: ads may not be counted in this browser:', reason)
    hasWarned = true
  }

  /** The page never sees an error, whatever its browser lacks. */
  function safely<Parameters extends unknown[]>(task: (...given: Parameters) => void) {
    return (...given: Parameters) => {
      try {
        task(...given)
      } catch (thrown) {
        warn(thrown)
      }
    }
  }

  /** Only a script element that the page loaded from its own origin says where reports go. */
  function findEndpoint(): string {
    const script = read(Document, document, 'currentScript')
    const src = script instanceof HTMLScriptElement ? script.src : ''
    const base = src.replace(/\/client\.js([?#].*)?$/, '')
    return base !== src && base.startsWith(`${location.origin}/`) ? base : PATH
  }

  function onIntersect(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting, intersectionRatio, boundingClientRect } of entries) {
      const ad = adsByBox.get(target)
      if (!ad) continue
      ad.ratio = isIntersecting ? intersectionRatio : 0
      // An ad that left and returned since the last sample has an entry for each.
      if (!ad.isEnough(boundingClientRect)) ad.restart()
    }
    sample()
  }

  /** Finds the ads that were added, removed or changed. */
  function scan(): void {
    for (const [element, ad] of ads) {
      const isConnected = read(Node, element, 'isConnected')
      if (!isConnected || ad.token !== readToken(element) || ad.box !== findBox(element))
        unwatch(element, ad)
    }
    for (const element of Document.prototype.querySelectorAll.call(document, `[${ATTRIBUTE}]`)) {
      const token = readToken(element)
      if (!token || reported.has(token) || ads.has(element)) continue
      const box = findBox(element)
      const ad = new ViewableAd(token, box)
      ads.set(element, ad)
      adsByBox.set(box, ad)
      viewport.observe(box)
    }
  }

  function unwatch(element: Element, { box }: ViewableAd): void {
    ads.delete(element)
    viewport.unobserve(box)
  }

  /** Measures the ads in view ten times a second, because no event reports that CSS has hidden one. */
  function sample(): void {
    const nowMs = performance.now()
    const isPageVisible = !isHidden() && !Reflect.get(Document.prototype, 'prerendering', document)
    const inView = [...ads].filter(([, ad]) => ad.ratio >= LARGE_AD_RATIO)
    for (const [element, ad] of inView) {
      if (reported.has(ad.token)) unwatch(element, ad)
      else if (ad.advance(nowMs, ad.measure())) report(element, ad)
      // Checked last: a page that is being left has shown its ads until now.
      else if (!isPageVisible) ad.restart()
    }
    clearTimeout(sampling)
    if (inView.length > 0 && isPageVisible) sampling = setTimeout(safely(sample), SAMPLE_MS)
  }

  function isHidden(): boolean {
    return read(Document, document, 'visibilityState') !== 'visible'
  }

  /** An inline link's own box is only its line of text, so the picture in the link is measured. */
  function findBox(element: Element): Element {
    const picture = querySelector.call(element, 'img,iframe,video')
    return picture && getComputedStyle(element).display === 'inline' ? picture : element
  }

  /** Removes what template languages may add: quotes, a slash, a second attribute name. */
  function readToken(element: Element): string {
    return (getAttribute.call(element, ATTRIBUTE) || '').replace(/^.*=|[^\w.-]/g, '')
  }

  /** Whether the box has loaded, and neither it nor an ancestor is hidden by CSS. */
  function isPainted(box: Element & { readonly complete?: unknown }): boolean {
    // checkVisibility() ignores the element's own content-visibility, and older browsers' versions
    // ignore opacity: https://developer.mozilla.org/docs/Web/API/Element/checkVisibility
    for (let at: Element | null = box; at; at = read(Node, at, 'parentElement')) {
      const { opacity, contentVisibility } = getComputedStyle(at)
      if (opacity === '0' || contentVisibility === 'hidden') return false
    }
    return getComputedStyle(box).visibility === 'visible' && box.complete !== false
  }

  const unsent: string[] = []
  let sending: number | undefined
  let retryMs = BATCH_MS

  function report(element: Element, ad: ViewableAd): void {
    unwatch(element, ad)
    reported.add(ad.token)
    unsent.push(ad.token)
    sending ??= setTimeout(send, BATCH_MS)
  }

  function send(): void {
    clearTimeout(sending)
    sending = undefined
    if (unsent.length > 0) void post(takeBatch())
  }

  function takeBatch(): string[] {
    const batch = unsent.splice(0, MAX_TOKENS)
    while (batch.length > 1 && batch.join().length > MAX_CHARACTERS)
      unsent.push(...batch.splice(-1))
    return batch
  }

  /** Tokens need no escaping, and some libraries change what JSON.stringify() does with arrays. */
  function toBody(batch: string[]): string {
    return `["${batch.join('","')}"]`
  }

  async function post(batch: string[]): Promise<void> {
    const status = await upload(batch)
    const isReceived = ![429, 500, 503].includes(status)
    if (!isReceived) unsent.push(...batch)
    if (unsent.length > 0) sending ??= setTimeout(send, isReceived ? 0 : retryMs)
    retryMs = isReceived ? BATCH_MS : Math.min(retryMs * 2, MAX_RETRY_MS)
  }

  /**
   * @returns the status of the answer. A network error is treated like a 503. After a gateway's 502
   * or 504 nothing is sent again: the server may have received the report.
   */
  async function upload(batch: string[]): Promise<number> {
    if (typeof fetch === 'function') {
      const request = { method: 'POST', body: toBody(batch), keepalive: true }
      try {
        return (await fetch(endpoint, request)).status
      } catch {
        return 503
      }
    }
    if (sendBeacon(batch)) return 204
    if (isOnline()) warn('it has neither fetch nor sendBeacon')
    return 503
  }

  /** `false` as well where a privacy setting or an extension has removed it. */
  function sendBeacon(batch: string[]): boolean {
    try {
      return isOnline() && navigator.sendBeacon(endpoint, toBody(batch))
    } catch {
      return false
    }
  }

  /** Offline, a beacon would be lost without notice. */
  function isOnline(): boolean {
    return navigator.onLine !== false
  }

  /** Reports now what has been viewable for a full second: the page may never run again. */
  function onLeave(): void {
    safely(sample)()
    // Offline, the tokens wait for the page to come back.
    while (unsent.length > 0 && isOnline()) {
      const batch = takeBatch()
      if (!sendBeacon(batch)) void post(batch)
    }
  }

  function start(): void {
    // Elements with this name are no own property.
    if (Object.getOwnPropertyDescriptor(window, 'adImpressions')) return
    endpoint = findEndpoint()
    viewport = new IntersectionObserver(safely(onIntersect), { threshold: [LARGE_AD_RATIO, RATIO] })
    const listen = EventTarget.prototype.addEventListener
    const onChange = safely(() => (isHidden() ? onLeave() : sample()))
    listen.call(document, 'visibilitychange', onChange)
    listen.call(document, 'prerenderingchange', onChange)
    listen.call(window, 'pageshow', onChange)
    // Some versions of Safari do not fire visibilitychange when the page is left:
    // https://developer.mozilla.org/docs/Web/API/Document/visibilitychange_event
    listen.call(window, 'pagehide', safely(onLeave))
    listen.call(window, 'online', send)
    new MutationObserver(safely(scan)).observe(document, {
      attributeFilter: [ATTRIBUTE],
      childList: true,
      subtree: true,
    })
    scan()
    window.adImpressions = { flush: send }
  }

  safely(start)()
})()
