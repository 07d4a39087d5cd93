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
  const CLIENT = /\/client\.js([?#].*)?$/

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

  const ALL_OF_CSS = {
    contentVisibilityAuto: true,
    opacityProperty: true,
    visibilityProperty: true,
    // As Chromium 105 to 120 named the last two.
    checkOpacity: true,
    checkVisibilityCSS: true,
  }

  interface Ad {
    readonly token: string
    /** Whether enough of it is in the viewport. */
    isInView: boolean
    /** When it was first sampled as seen, without a break since. */
    seenSinceMs: number | undefined
  }

  const script = document.currentScript
  if (window.adImpressions || !(script instanceof HTMLScriptElement)) return
  const endpoint = script.src.replace(CLIENT, '')

  /** The ads that have yet to be seen. */
  const ads = new Map<Element, Ad>()
  /** What has been seen on this page, however often it is cloned. */
  const seen = new Set<string>()
  let unsent: string[] = []
  let sampledAtMs = 0
  let sampling: number | undefined
  let sending: number | undefined
  let retryMs = BATCH_MS

  const viewport = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, intersectionRatio, boundingClientRect } of entries) {
        const ad = ads.get(target)
        if (!ad) continue
        const area = boundingClientRect.width * boundingClientRect.height
        const ratio = area >= LARGE_AD_PX ? LARGE_AD_RATIO : RATIO
        ad.isInView = isIntersecting && area > 0 && intersectionRatio >= ratio
        if (!ad.isInView) ad.seenSinceMs = undefined
      }
      sample()
    },
    { threshold: [LARGE_AD_RATIO, RATIO] },
  )

  /** Finds the ads that have come, gone or changed. */
  function scan(): void {
    for (const [element, { token }] of ads) {
      if (!element.isConnected || tokenOf(element) !== token) unwatch(element)
    }
    for (const element of document.querySelectorAll(`[${ATTRIBUTE}]`)) {
      const token = tokenOf(element)
      if (!token || seen.has(token) || ads.has(element)) continue
      ads.set(element, { token, isInView: false, seenSinceMs: undefined })
      viewport.observe(element)
    }
  }

  function unwatch(element: Element): void {
    ads.delete(element)
    viewport.unobserve(element)
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
    const isPageVisible = document.visibilityState === 'visible' && !isPrerendering()
    let isAnyInView = false
    for (const [element, ad] of ads) {
      if (!ad.isInView) continue
      isAnyInView = true
      const isHidden = !isPainted(element)
      if (isHidden || isLate) ad.seenSinceMs = undefined
      if (seen.has(ad.token)) unwatch(element)
      // First, for a page that is being left has shown it until now.
      else if (nowMs - (ad.seenSinceMs ?? nowMs) >= VIEWABLE_MS) tell(element, ad)
      else if (isHidden || !isPageVisible) ad.seenSinceMs = undefined
      else ad.seenSinceMs ??= nowMs
    }
    clearTimeout(sampling)
    if (isAnyInView && isPageVisible) sampling = setTimeout(sample, SAMPLE_MS)
  }

  function isPrerendering(): boolean {
    return (document as Document & { readonly prerendering?: boolean }).prerendering === true
  }

  /** Whether neither the element nor an ancestor is hidden by CSS. */
  function isPainted(element: Element): boolean {
    if (element.checkVisibility) return element.checkVisibility(ALL_OF_CSS)
    // Before Chromium 105, Firefox 106 and Safari 17.4. What has no box is never in view.
    for (let at: Element | null = element; at; at = at.parentElement) {
      if (getComputedStyle(at).opacity === '0') return false
    }
    return getComputedStyle(element).visibility === 'visible'
  }

  function tell(element: Element, { token }: Ad): void {
    unwatch(element)
    seen.add(token)
    unsent.push(token)
    sendIn(BATCH_MS)
  }

  function sendIn(delayMs: number): void {
    if (sending === undefined) sending = setTimeout(send, delayMs)
  }

  /** Takes as many tokens as one report may carry. */
  function takeUnsent(): string[] {
    let characters = 0
    let count = 0
    for (const { length } of unsent.slice(0, MAX_TOKENS)) {
      characters += length
      if (count > 0 && characters > MAX_CHARACTERS) break
      count += 1
    }
    const taken = unsent.slice(0, count)
    unsent = unsent.slice(count)
    return taken
  }

  function send(): void {
    clearTimeout(sending)
    sending = undefined
    const tokens = takeUnsent()
    if (tokens.length > 0) post(tokens).then(sent, () => failed(tokens))
  }

  /** Goes on when the page is left meanwhile. */
  async function post(tokens: string[]): Promise<void> {
    const body = JSON.stringify(tokens)
    const { status } = await fetch(endpoint, { method: 'POST', body, keepalive: true })
    if (status >= 500) throw status
  }

  function sent(): void {
    retryMs = BATCH_MS
    if (unsent.length > 0) sendIn(0)
  }

  function failed(tokens: string[]): void {
    unsent.push(...tokens)
    sendIn(retryMs)
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
  }

  /** The page may never be heard of again: what a full second has shown is reported now. */
  function leave(): void {
    sample()
    // A beacon that fails is not heard of; offline they wait for the page to come back.
    while (unsent.length > 0 && navigator.onLine !== false) {
      const tokens = takeUnsent()
      if (!navigator.sendBeacon?.(endpoint, JSON.stringify(tokens)))
        post(tokens).then(sent, () => failed(tokens))
    }
  }

  function turn(): void {
    if (document.visibilityState === 'hidden') leave()
    sample()
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
