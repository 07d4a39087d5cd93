/** This page load's helper while the server renders. In the browser, it does nothing. */
export function useTrackImpression() {
  return useRequestEvent()?.node.res.locals.trackImpression ?? (() => '')
}
