import type { Device } from '../../lib/viewer/device.js'

export type TrueDevice = Device | 'other'

export interface DeviceCase {
  readonly userAgent: string
  readonly truth: TrueDevice
  readonly weight: number
}

/** The share of weight that is correct, from 0 to 1: of all cases, and of each device. */
export type Accuracy = ReadonlyMap<TrueDevice | 'all', number>

export function measureAccuracy(
  parse: (userAgent: string) => Device | undefined,
  cases: readonly DeviceCase[],
): Accuracy {
  const correct = new Map<TrueDevice | 'all', number>()
  const total = new Map<TrueDevice | 'all', number>()
  const parsed = new Map<string, TrueDevice>()
  for (const { userAgent, truth, weight } of cases) {
    const device = parsed.get(userAgent) ?? parse(userAgent) ?? 'other'
    parsed.set(userAgent, device)
    for (const key of ['all', truth] as const) {
      total.set(key, (total.get(key) ?? 0) + weight)
      if (device === truth) correct.set(key, (correct.get(key) ?? 0) + weight)
    }
  }
  return new Map([...total].map(([key, weight]) => [key, (correct.get(key) ?? 0) / weight]))
}
