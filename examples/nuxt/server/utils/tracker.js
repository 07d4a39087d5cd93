import { randomBytes } from 'node:crypto'
import { impressions } from 'ad-impressions'

// Keys from ENS_API_KEY and CLOSIENT_API_KEY
export const tracker = impressions({
  // Use your own secret, the same in every process: openssl rand -base64 32
  visibility: { secret: process.env.AD_IMPRESSIONS_SECRET ?? randomBytes(32).toString('base64') },
})
