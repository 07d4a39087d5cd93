import { createRequire } from 'node:module'
import bowser from 'bowser'
import MobileDetect from 'mobile-detect'
import MyUAParser from 'my-ua-parser'
import { UAParser } from 'ua-parser-js'
import { type Device, isDevice, readDevice } from '../../lib/viewer/device.js'

export interface DeviceParser {
  readonly name: string
  readonly packageName: string
  /** `undefined`: another device, or an unknown one. */
  readonly parse: (userAgent: string) => Device | undefined
}

// The package's types declare a default export, but it has none.
const DeviceDetector: typeof import('node-device-detector').default = createRequire(
  import.meta.url,
)('node-device-detector')
const detector = new DeviceDetector({
  clientIndexes: true,
  deviceIndexes: true,
  osIndexes: true,
  deviceAliasCode: false,
})

export const PARSERS: readonly DeviceParser[] = [
  {
    name: 'ad-impressions (ua-parser-js 1 and rules)',
    packageName: 'ua-parser-js',
    parse: (userAgent) => readDevice({ 'user-agent': userAgent }),
  },
  {
    name: 'ua-parser-js 1',
    packageName: 'ua-parser-js',
    parse: (userAgent) => toDeviceOrDesktop(new UAParser(userAgent).getDevice().type),
  },
  {
    name: 'my-ua-parser',
    packageName: 'my-ua-parser',
    parse: (userAgent) => toDeviceOrDesktop(new MyUAParser(userAgent).getDevice().type),
  },
  {
    name: 'bowser',
    packageName: 'bowser',
    parse: (userAgent) => toDevice(bowser.getParser(userAgent, true).getPlatformType(true)),
  },
  {
    name: 'mobile-detect',
    packageName: 'mobile-detect',
    parse(userAgent) {
      const detected = new MobileDetect(userAgent)
      if (detected.tablet() !== null) return 'tablet'
      return detected.mobile() === null ? 'desktop' : 'mobile'
    },
  },
  {
    name: 'node-device-detector',
    packageName: 'node-device-detector',
    parse: (userAgent) => fromDeviceDetector(detector.detect(userAgent).device.type ?? ''),
  },
]

function toDevice(type: string): Device | undefined {
  return isDevice(type) ? type : undefined
}

/** The ua-parser-js family documents that it gives desktops no type. */
function toDeviceOrDesktop(type: string | undefined): Device | undefined {
  return toDevice(type ?? 'desktop')
}

/** @param type a device type of matomo-org/device-detector */
export function fromDeviceDetector(type: string): Device | undefined {
  return /^(?:smartphone|phablet|feature phone)$/.test(type) ? 'mobile' : toDevice(type)
}
