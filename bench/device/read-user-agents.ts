import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { DeviceCase } from './accuracy.js'
import { fromDeviceDetector } from './parsers.js'

/** Reads the user agents of known bots from the npm package `crawler-user-agents`. */
export function readCrawlers(): string[] {
  const crawlers: { instances: string[] }[] = createRequire(import.meta.url)('crawler-user-agents')
  return [...new Set(crawlers.flatMap(({ instances }) => instances))]
}

export interface DeviceDetectorFixtures {
  readonly browsers: readonly DeviceCase[]
  readonly bots: readonly string[]
}

/** @param folder `Tests/fixtures` of a checkout of matomo-org/device-detector */
export function readDeviceDetectorFixtures(folder: string): DeviceDetectorFixtures {
  const browsers = new Map<string, DeviceCase>()
  const bots = new Set<string>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yml'))) {
    for (const entry of readFileSync(join(folder, file), 'utf8').split(/^-\s*$/m)) {
      const userAgent = parseUserAgent(entry)
      if (userAgent === undefined) continue
      const truth = parseBrowserDevice(entry)
      if (file === 'bots.yml') bots.add(userAgent)
      else if (truth) browsers.set(userAgent, { userAgent, truth, weight: 1 })
    }
  }
  return { browsers: [...browsers.values()], bots: [...bots] }
}

// The files have a fixed layout, so that a few expressions replace a YAML parser.

function parseUserAgent(entry: string): string | undefined {
  const scalar = /^ {2}user_agent: (.+)$/m.exec(entry)?.[1]
  return scalar?.replace(/^(['"])(.*)\1$/, '$2').replaceAll("''", "'")
}

/** Returns `undefined` unless the entry is a browser that is tested by its user agent alone. */
function parseBrowserDevice(entry: string): DeviceCase['truth'] | undefined {
  const type = /^ {2}device:\n {4}type: (.+)$/m.exec(entry)?.[1]
  const isBrowser = /^ {4}type: browser$/m.test(entry)
  const hasHeaders = /^ {2}headers:/m.test(entry)
  if (type === undefined || !isBrowser || hasHeaders) return undefined
  return fromDeviceDetector(type) ?? 'other'
}
