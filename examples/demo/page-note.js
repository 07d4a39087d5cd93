/**
 * Lets a page show what the server recorded for it. Templates add each ad to `shownAds`, and call
 * `countRecorded()` for the result so far.
 */
export function createPageNote(tracker) {
  const openPages = new Map()
  tracker.on('outcome', (event) => openPages.get(event.requestId)?.push(event))

  return (_req, res, next) => {
    const { requestId } = res.locals.trackImpression
    const outcomes = []
    openPages.set(requestId, outcomes)
    res.on('close', () => openPages.delete(requestId))

    const shownAds = []
    res.locals.shownAds = shownAds
    res.locals.countRecorded = () => countRecorded(shownAds, outcomes)
    next()
  }
}

function countRecorded(shownAds, outcomes) {
  const countShown = (kind) => shownAds.filter((shown) => shown === kind).length
  // Delivery takes longer than rendering, so an impression that has an outcome already was not
  // counted: it is a duplicate or suppressed.
  const countPending = (network) =>
    countShown(network) - outcomes.filter((event) => event.network === network).length
  return {
    ens: countPending('ens'),
    closient: countPending('closient'),
    visible: countShown('visible'),
    duplicates: outcomes.filter(({ outcome }) => outcome === 'duplicate').length,
    // The code that the reason begins with, such as `bot`.
    suppression: outcomes.find(({ outcome }) => outcome === 'suppressed')?.reason.split(':')[0],
  }
}
