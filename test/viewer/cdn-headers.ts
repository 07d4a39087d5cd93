import type { Cdn } from '../../lib/viewer/country.js'

export const encodeBase64Json = (value: unknown) =>
  Buffer.from(JSON.stringify(value)).toString('base64')

/** The value of Netlify's header. `code` may be anything. */
export const encodeNetlifyGeo = (code: unknown) =>
  encodeBase64Json({ city: 'Köln', country: { code, name: 'Germany' }, timezone: 'Europe/Berlin' })

const formatEdgeScape = (code: string) =>
  `georegion=263,country_code=${code},region_code=MA,city=BOSTON`

/** The header of each CDN, and how it formats a country code. */
export const CDN_HEADERS: Record<Cdn, [name: string, format: (code: string) => string]> = {
  'app-engine': ['x-appengine-country', String],
  akamai: ['x-akamai-edgescape', formatEdgeScape],
  azure: ['x-geo-country', String],
  bunny: ['cdn-requestcountrycode', String],
  cloudflare: ['cf-ipcountry', String],
  cloudfront: ['cloudfront-viewer-country', String],
  fastly: ['client-geo-country', String],
  google: ['x-client-geo-location', (code) => `${code},Mountain View`],
  netlify: ['x-nf-geo', encodeNetlifyGeo],
  vercel: ['x-vercel-ip-country', String],
}
