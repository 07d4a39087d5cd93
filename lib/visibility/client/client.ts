/*
 * The browser's half: reports each ad once it has been viewable: half of its pixels (30 % of a large
 * one's) in the viewport of a visible tab for one continuous second (MRC Viewable Ad Impression
 * Measurement Guidelines; for large ads, of 242,500 pixels, the IAB's and MRC's same rule).
 *
 * A classic script without imports, so that it is one small file under any Content-Security-Policy.
 */

// biome-ignore lint/correctness/noUnusedVariables: it is the DOM's own, and gains a member here
interface Window {
  /** For tests: `flush()` reports at once what has been seen. */
  adImpressions?: { flush(): void }
}

;(() => {
  const ATTRIBUTE = 'data-ad-impression'

  const VIEWABLE_MS = 1_000
  const LARGE_AD_PX = 242_500
  const RATIO = 0.5
  const LARGE_AD_RATIO = 0.3

  const SAMPLE_MS = 100
  /** Past this the page stood still, and nobody knows what was on the screen meanwhile. */
  const LATE_MS = 500

  const BATCH_MS = 1_000
  const LONGEST_RETRY_MS = 60_000
  /** The server's bounds, and the browser's for what outlives its page (64 KiB). */
  const MAX_TOKENS = 100
  const MAX_CHARACTERS = 60_000

  /** What a link shows, where its own box is but the line of text that this stands on. */
  const PICTURE = 'img,iframe,video'

  interface Ad {
    readonly token: string
    /** The element whose pixels count. */
    readonly box: Element
    /** How much of it is in the viewport, as of the last threshold that it crossed. */
    ratio: number
    /** When it was first sampled as seen, without a break since. */
    seenSinceMs: number | undefined
  }

  const script = document.currentScript as HTMLScriptElement | null
  if (window.adImpressions?.flush || !script) return
  const endpoint = script.src.replace(/\/client\.js.*/, '')

  /** The ads that have yet to be seen. */
  const ads = new Map<Element, Ad>()
  const adsByBox = new WeakMap<Element, Ad>()
  /** What has been seen on this page, however often it is cloned. */
  const seen = new Set<string>()
  const unsent: string[] = []
  let sampledAtMs = 0
  let sampling: number | undefined
  let sending: number | undefined
  let retryMs = BATCH_MS

  const viewport = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, intersectionRatio, boundingClientRect } of entries) {
        const ad = adsByBox.get(target)
        if (!ad) continue
        ad.ratio = isIntersecting ? intersectionRatio : 0
        // It may be back already, by a later entry.
        if (!isEnough(ad, boundingClientRect)) ad.seenSinceMs = undefined
      }
      sample()
    },
    { threshold: [LARGE_AD_RATIO, RATIO] },
  )

  /** By its size of now: no threshold is crossed when an ad in view grows large, or from nothing. */
  function isEnough({ ratio }: Ad, { width, height }: DOMRectReadOnly): boolean {
    const area = width * height
    return area > 0 && ratio >= (area >= LARGE_AD_PX ? LARGE_AD_RATIO : RATIO)
  }

  /** Finds the ads that have come, gone or changed. */
  function scan(): void {
    for (const [element, ad] of ads) {
      const isThere = element.isConnected && ad.box === boxOf(element)
      if (!isThere || tokenOf(element) !== ad.token) unwatch(element, ad)
    }
    for (const element of document.querySelectorAll(`[${ATTRIBUTE}]`)) {
      const token = tokenOf(element)
      if (!token || seen.has(token) || ads.has(element)) continue
      const box = boxOf(element)
      const ad = { token, box, ratio: 0, seenSinceMs: undefined }
      ads.set(element, ad)
      adsByBox.set(box, ad)
      viewport.observe(box)
    }
  }

  function boxOf(element: Element): Element {
    const picture = element.querySelector(PICTURE)
    return picture && getComputedStyle(element).display === 'inline' ? picture : element
  }

  function unwatch(element: Element, { box }: Ad): void {
    ads.delete(element)
    viewport.unobserve(box)
  }

  /** Template languages that quote and escape leave quotes, a slash or the attribute's name in it. */
  function tokenOf(element: Element): string {
    return (element.getAttribute(ATTRIBUTE) || '').replace(/^.*=|[^\w.-]/g, '')
  }

  /** Looks at the ads in view, ten times a second: no event tells that CSS has hidden one. */
  function sample(): void {
    const nowMs = performance.now()
    const isLate = nowMs - sampledAtMs > LATE_MS
    sampledAtMs = nowMs
    const { visibilityState, prerendering }: Document & { prerendering?: boolean } = document
    const isPageVisible = visibilityState === 'visible' && !prerendering
    let isAnyInView = false
    for (const [element, ad] of ads) {
      if (ad.ratio < LARGE_AD_RATIO) continue
      isAnyInView = true
      const isShown = isEnough(ad, ad.box.getBoundingClientRect()) && isPainted(ad.box)
      if (!isShown || isLate) ad.seenSinceMs = undefined
      if (seen.has(ad.token)) unwatch(element, ad)
      // First, for a page that is being left has shown it until now.
      else if (nowMs - (ad.seenSinceMs ?? nowMs) >= VIEWABLE_MS) tell(element, ad)
      else if (!isShown || !isPageVisible) ad.seenSinceMs = undefined
      else ad.seenSinceMs ??= nowMs
    }
    clearTimeout(sampling)
    if (isAnyInView && isPageVisible) sampling = setTimeout(sample, SAMPLE_MS)
  }

  /** Whether it has been loaded, and neither it nor an ancestor is hidden by CSS. */
  function isPainted(box: Element & { readonly complete?: boolean }): boolean {
    // By hand: checkVisibility() leaves out its own content-visibility, and older browsers' opacity.
    for (let at: Element | null = box; at; at = at.parentElement) {
      const { opacity, contentVisibility } = getComputedStyle(at)
      if (opacity === '0' || contentVisibility === 'hidden') return false
    }
    return getComputedStyle(box).visibility === 'visible' && box.complete !== false
  }

  function tell(element: Element, ad: Ad): void {
    unwatch(element, ad)
    seen.add(ad.token)
    unsent.push(ad.token)
    sendIn(BATCH_MS)
  }

  function sendIn(delayMs: number): void {
    if (sending === undefined) sending = setTimeout(send, delayMs)
  }

  /** Takes as many tokens as one report may carry. */
  function takeUnsent(): string[] {
    const taken = unsent.splice(0, MAX_TOKENS)
    while (taken.length > 1 && taken.join().length > MAX_CHARACTERS)
      unsent.push(...taken.splice(-1))
    return taken
  }

  function send(): void {
    clearTimeout(sending)
    sending = undefined
    const tokens = takeUnsent()
    if (tokens.length > 0) post(tokens)
  }

  /**
   * Goes on when the page is left meanwhile. What was not heard is tried again; a gateway's 502 or 504
   * does not tell whether it was.
   */
  async function post(tokens: string[]): Promise<void> {
    const report = { method: 'POST', body: JSON.stringify(tokens), keepalive: true }
    const isHeard = await fetch(endpoint, report).then(
      ({ status }) => ![429, 500, 503].includes(status),
      () => false,
    )
    if (isHeard) {
      retryMs = BATCH_MS
      if (unsent.length > 0) sendIn(0)
    } else {
      unsent.push(...tokens)
      sendIn(retryMs)
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
    }
  }

  /** The page may never be heard of again: what a full second has shown is reported now. */
  function leave(): void {
    sample()
    // A beacon that fails is not heard of; offline they wait for the page to come back.
    while (unsent.length > 0 && navigator.onLine) {
      const tokens = takeUnsent()
      if (!navigator.sendBeacon(endpoint, JSON.stringify(tokens))) post(tokens)
    }
  }

  function turn(): void {
    if (document.visibilityState === 'hidden') leave()
    else sample()
  }

  document.addEventListener('visibilitychange', turn)
  document.addEventListener('prerenderingchange', turn)
  addEventListener('pageshow', turn)
  addEventListener('pagehide', leave)
  addEventListener('online', send)
  new MutationObserver(scan).observe(document, {
    attributes: true,
    attributeFilter: [ATTRIBUTE],
    childList: true,
    subtree: true,
  })
  scan()
  window.adImpressions = { flush: send }
})()
