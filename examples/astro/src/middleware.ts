import type { TrackImpression } from 'ad-impressions'
import type { MiddlewareHandler } from 'astro'

/** `astro dev` and prerendered pages run without server.js. */
export const onRequest: MiddlewareHandler = ({ locals, isPrerendered }, next) => {
  if (import.meta.env.DEV || isPrerendered) locals.trackImpression = countNothing
  return next()
}

const countNothing: TrackImpression = Object.assign(() => '' as const, {
  requestId: '',
  whenVisible: () => '',
  script: () => '',
})
