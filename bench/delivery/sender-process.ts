/** The process that sends: `sender-process.js SENDER SINK_URL CONNECTIONS`. */
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
}

export type SenderMethods = typeof methods

serveParent(methods)
