import type { Cdn } from '../../lib/viewer/country.js'

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

/** Netlify's header, with any `code` at all. */
export const netlifyGeo = (code: unknown) =>
  base64({ city: 'Köln', country: { code, name: 'Germany' }, timezone: 'Europe/Berlin' })

const edgeScape = (code: string) => `georegion=263,country_code=${code},region_code=MA,city=BOSTON`

/** The header of each CDN, and its value for a country. */
export const SENT_BY_CDN: Record<Cdn, [header: string, value: (code: string) => string]> = {
  'app-engine': ['x-appengine-country', String],
  akamai: ['x-akamai-edgescape', edgeScape],
  azure: ['x-geo-country', String],
  bunny: ['cdn-requestcountrycode', String],
  cloudflare: ['cf-ipcountry', String],
  cloudfront: ['cloudfront-viewer-country', String],
  fastly: ['client-geo-country', String],
  google: ['x-client-geo-location', (code) => `${code},Mountain View`],
  netlify: ['x-nf-geo', netlifyGeo],
  vercel: ['x-vercel-ip-country', String],
}
