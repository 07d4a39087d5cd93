import { connection } from 'next/server'

/** This page load's helper, for Server Components. */
export async function getTrackImpression() {
  await connection() // renders the page for each request, never at build time
  return globalThis.currentResponse.getStore().locals.trackImpression
}
