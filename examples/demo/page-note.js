/**
 * Lets a page say what the server recorded for it: `shown` is where its ads enter themselves, and
 * `recorded()` what that came to, as far as it is decided while the page is rendered.
 */
export function pageNote(tracker) {
  const openPages = new Map()
  tracker.on('outcome', (event) => openPages.get(event.requestId)?.push(event))

  return (_req, res, next) => {
    const { requestId } = res.locals.trackImpression
    const outcomes = []
    openPages.set(requestId, outcomes)
    res.on('close', () => openPages.delete(requestId))

    const shown = []
    res.locals.shown = shown
    res.locals.recorded = () => {
      // Delivery takes longer than rendering: what has an outcome by now was not counted.
      const counted = (network) =>
        shown.filter((name) => name === network).length -
        outcomes.filter((event) => event.network === network).length
      return {
        ens: counted('ens'),
        closient: counted('closient'),
        visible: shown.filter((name) => name === 'visible').length,
        duplicates: outcomes.filter(({ outcome }) => outcome === 'duplicate').length,
        suppression: outcomes.find(({ outcome }) => outcome === 'suppressed')?.reason,
      }
    }
    next()
  }
}
