const MAX_PAGES = 500

const LABELS = { waiting: 'waiting until seen', suppressed: 'not counted' }

/**
 * Lets each page show, ad by ad, what the server has counted. Templates call
 * `showOutcome(impression)` behind `trackImpression(impression)` for the ad's badge. A script then
 * follows the page's outcomes as server-sent events.
 */
export class AdOutcomes {
  // The latest page loads, oldest first.
  #pages = new Map()

  constructor(tracker) {
    tracker.on('outcome', (event) => this.#addOutcome(event))
  }

  /** Middleware, behind the tracker's. */
  addPage = (_req, res, next) => {
    const { requestId } = res.locals.trackImpression
    const outcomes = new Map()
    this.#pages.set(requestId, { outcomes, streams: new Set() })
    if (this.#pages.size > MAX_PAGES) {
      const [oldest] = this.#pages.keys()
      this.#closePage(oldest)
    }
    // Delivery takes longer than rendering, but a duplicate or suppressed impression has its
    // outcome already.
    res.locals.showOutcome = (impression, state = 'pending') => {
      const ad = nameAd(impression)
      return { network: impression.network, ...(outcomes.get(ad) ?? describeState(ad, state)) }
    }
    next()
  }

  /** A route with the page load's id: its outcomes so far, then each one as it arrives. */
  stream = (req, res) => {
    const page = this.#pages.get(req.params.pageLoad)
    if (!page) return res.sendStatus(404)
    res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    res.flushHeaders()
    for (const outcome of page.outcomes.values()) send(res, outcome)
    page.streams.add(res)
    return res.on('close', () => page.streams.delete(res))
  }

  /** Ends all streams, so that the server can close. */
  close() {
    for (const requestId of [...this.#pages.keys()]) this.#closePage(requestId)
  }

  #addOutcome(event) {
    const page = this.#pages.get(event.requestId)
    if (!page) return
    const outcome = describeState(nameAd(event), event.outcome, event.reason)
    page.outcomes.set(outcome.ad, outcome)
    for (const res of page.streams) send(res, outcome)
  }

  #closePage(requestId) {
    for (const res of this.#pages.get(requestId).streams) res.end()
    this.#pages.delete(requestId)
  }
}

/** The ads of a page differ in at least one of these. An outcome event has them, too. */
function nameAd({ network, campaignId, placement, offerId }) {
  return [network, campaignId, placement ?? offerId].join('/')
}

function describeState(ad, state, reason = '') {
  // Without the code in front and the advice behind, which are for operators.
  const why = state === 'delivered' ? '' : reason.replace(/^\S+: |;.*/g, '')
  return { ad, state, label: LABELS[state] ?? state, why, reason }
}

function send(res, outcome) {
  res.write(`data: ${JSON.stringify(outcome)}\n\n`)
}
