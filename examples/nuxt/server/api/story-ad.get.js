import { banner } from '../../../ads.js'

/** Called while the server renders the story, or by a browser that navigates to it. */
export default defineEventHandler((event) => {
  const { whenVisible } = event.node.res.locals.trackImpression
  return { ...banner, impression: whenVisible({ campaignId: banner.id, placement: 'story' }) }
})
