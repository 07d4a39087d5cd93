import type { Handle } from '@sveltejs/kit'
import type { TrackImpression } from 'ad-impressions'
import type { Request } from 'express'
import { building, dev } from '$app/environment'

/** Passes the helper of the middleware in server.js to pages, and adds the client script to each. */
export const handle: Handle = ({ event, resolve }) => {
  const request = event.platform?.req as Request | undefined
  const trackImpression = dev || building ? countNothing : request?.res?.locals.trackImpression
  if (!trackImpression) throw new Error('start the app with server.js')
  event.locals.trackImpression = trackImpression
  return resolve(event, {
    transformPageChunk: ({ html }) => html.replace('%script%', () => trackImpression.script()),
  })
}

/** For `vite dev` and prerendered pages, which have no request of Node.js. */
const countNothing: TrackImpression = Object.assign(() => '' as const, {
  requestId: '',
  whenVisible: () => '',
  script: () => '',
})
