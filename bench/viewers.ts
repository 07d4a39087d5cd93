import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Device } from '../lib/viewer/device.js'

/** A page view of real traffic, from the npm package `user-agents`. */
export interface SampledViewer {
  readonly userAgent: string
  /** Its share of the sample, from 0 to 1. */
  readonly weight: number
  /** The package's own classification, which its authors derive with ua-parser-js 1. */
  readonly labelled: Device
  /**
   * The device that `navigator.platform` and the screen indicate. `undefined` where these contradict
   * the user agent.
   */
  readonly measured: Device | undefined
}

/** An entry of the package's data. The screen is measured in CSS pixels. */
interface ViewerProfile {
  readonly userAgent: string
  readonly weight: number
  readonly deviceCategory: Device
  readonly platform: string
  readonly screenWidth: number
  readonly screenHeight: number
}

/** Reads the sample: 10,000 page views of one day. */
export function readViewers(): SampledViewer[] {
  // The package does not export its data, which is a file beside its main module.
  const mainModule = createRequire(import.meta.url).resolve('user-agents')
  const json = readFileSync(join(dirname(mainModule), 'user-agents.json'), 'utf8')
  const profiles: ViewerProfile[] = JSON.parse(json)
  return profiles.map((profile) => ({
    userAgent: profile.userAgent,
    weight: profile.weight,
    labelled: profile.deviceCategory,
    measured: measureDevice(profile),
  }))
}

/** Classifies by the platform and the screen, which no parser of user agents has seen. */
function measureDevice(profile: ViewerProfile): Device | undefined {
  const { userAgent, platform } = profile
  if (/iPhone|iPad/.test(userAgent)) return IOS_DEVICES.get(platform)
  if (userAgent.includes('Macintosh')) return measureMac(profile)
  if (/^Linux (?:arm|aarch64)/.test(platform)) return measureByScreen(profile)
  if (userAgent.includes('Android')) return undefined
  return isDesktopPlatform(profile) ? 'desktop' : undefined
}

const IOS_DEVICES = new Map<string, Device>([
  ['iPhone', 'mobile'],
  ['iPad', 'tablet'],
])

/** Short side of the largest iPad's screen: iPad Pro 13-inch (M4), 1032 × 1376. */
const LARGEST_IPAD_PX = 1032

/**
 * An iPad identifies itself as a Mac by default, and so does an iPhone that requests the desktop
 * site. Their upright screens distinguish them.
 */
function measureMac(profile: ViewerProfile): Device | undefined {
  const { platform, screenWidth, screenHeight } = profile
  if (platform !== 'MacIntel') return undefined
  const isUpright = screenHeight > screenWidth && screenWidth <= LARGEST_IPAD_PX
  return isUpright ? measureByScreen(profile) : 'desktop'
}

/**
 * The shortest side of an Android tablet, in density-independent pixels (sw600dp):
 * https://developer.android.com/guide/topics/resources/providing-resources#SmallestScreenWidthQualifier
 */
const SMALLEST_TABLET_PX = 600

function measureByScreen({ screenWidth, screenHeight }: ViewerProfile): Device {
  return Math.min(screenWidth, screenHeight) < SMALLEST_TABLET_PX ? 'mobile' : 'tablet'
}

function isDesktopPlatform({ userAgent, platform }: ViewerProfile): boolean {
  return userAgent.includes('Windows') ? platform === 'Win32' : platform.startsWith('Linux')
}
