import type { IncomingHttpHeaders } from 'node:http'
import { readUserAgent } from './user-agent.js'

/** The devices that ENS has a word for (ens.txt, `device`). */
export type Device = 'mobile' | 'desktop' | 'tablet'

/**
 * Reads the viewer's device: client hints first, where the browser sends them, then the
 * User-Agent. A TV, a console, a car, a watch or an unknown thing has no word at ENS: `undefined`.
 */
export function readDevice(headers: IncomingHttpHeaders): Device | undefined {
  const { device } = readUserAgent(headers['user-agent'])
  return device === 'other' || device === 'unknown' ? undefined : device
}
