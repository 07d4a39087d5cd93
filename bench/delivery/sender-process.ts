/** The process that sends: `sender-process.js SENDER SINK_URL CONNECTIONS`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { serveParent } from '../rpc-child.js'
import { SENDERS, type SenderName } from './senders.js'

const [name, url = '', connections] = process.argv.slice(2)
const sender = SENDERS[name as SenderName](url, Number(connections))

const methods = {
  /** Measures the time and CPU time until the last answer. */
  async send(impressions: number): Promise<{ ms: number; cpuUs: number }> {
    sender.prepare?.(impressions)
    const cpu = process.cpuUsage()
    const startMs = performance.now()
    await sender.send(impressions)
    const ms = performance.now() - startMs
    const { user, system } = process.cpuUsage(cpu)
    return { ms, cpuUs: user + system }
  },
  /** Measures how many are delivered per second while the rest of `impressions` wait. */
  async measureRate({ impressions, seconds }: { impressions: number; seconds: number }) {
    sender.prepare?.(impressions)
    const before = sender.countDelivered?.() ?? 0
    const startMs = performance.now()
    const sent = sender.send(impressions)
    await sleep(1_000 * seconds)
    const delivered = (sender.countDelivered?.() ?? 0) - before
    const perSecond = (1_000 * delivered) / (performance.now() - startMs)
    await sent
    return perSecond
  },
}

export type SenderMethods = typeof methods

serveParent(methods)
