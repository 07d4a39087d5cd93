import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Device } from '../lib/viewer/device.js'

/** A page view of real traffic, from the npm package `user-agents`. */
export interface Viewer {
  readonly userAgent: string
  /** Share of the sample, 0 to 1. */
  readonly weight: number
  /** The device by the package's own column, which its makers fill in with ua-parser-js 1. */
  readonly labelled: Device
  /** The device by what the browser's scripts saw; `undefined` where that contradicts the user agent. */
  readonly measured: Device | undefined
}

interface Profile {
  readonly userAgent: string
  readonly weight: number
  readonly deviceCategory: Device
  readonly platform: string
  readonly screenWidth: number
  readonly screenHeight: number
}

/** The sample: 10,000 page views of one day. */
export function readViewers(): Viewer[] {
  // The package exports a picker and not its data, which lies beside the picker.
  const picker = createRequire(import.meta.url).resolve('user-agents')
  const json = readFileSync(join(dirname(picker), 'user-agents.json'), 'utf8')
  const profiles: Profile[] = JSON.parse(json)
  return profiles.map((profile) => ({
    userAgent: profile.userAgent,
    weight: profile.weight,
    labelled: profile.deviceCategory,
    measured: measure(profile),
  }))
}

/**
 * The device by `navigator.platform` and the screen, in CSS pixels: evidence that no parser of
 * user agents had a hand in. Android itself calls 600 and more on the short side a tablet
 * (developer.android.com, "smallest width" sw600dp); an iPad that poses as a Mac gives itself
 * away by its upright screen, and so does an iPhone that requests the desktop site.
 */
function measure({ userAgent, platform, screenWidth, screenHeight }: Profile): Device | undefined {
  const shortSide = Math.min(screenWidth, screenHeight)
  const bySize = shortSide < 600 ? 'mobile' : 'tablet'
  if (/iPhone|iPad/.test(userAgent)) {
    if (platform === 'iPhone') return 'mobile'
    return platform === 'iPad' ? 'tablet' : undefined
  }
  if (userAgent.includes('Macintosh')) {
    if (platform !== 'MacIntel') return undefined
    return screenHeight > screenWidth && shortSide <= LARGEST_IPAD_PX ? bySize : 'desktop'
  }
  if (/^Linux (?:arm|aarch64)/.test(platform)) return bySize
  if (userAgent.includes('Android')) return undefined
  if (userAgent.includes('Windows')) return platform === 'Win32' ? 'desktop' : undefined
  return platform.startsWith('Linux') ? 'desktop' : undefined
}

/** Short side of the largest iPad's screen: iPad Pro 13-inch (M4), 1032 × 1376. */
const LARGEST_IPAD_PX = 1032
