/** The process that sends: `sender.js SENDER SINK_URL CONNECTIONS`. */
import { answerParent } from '../child.js'
import { SENDERS, type SenderName } from './senders.js'

const [name, url = '', connections] = process.argv.slice(2)
const sender = SENDERS[name as SenderName](url, Number(connections))

const answers = {
  /** Until all was answered. */
  async send(impressions: number): Promise<{ ms: number; cpuUs: number }> {
    sender.fill?.(impressions)
    const cpu = process.cpuUsage()
    const startMs = performance.now()
    await sender.send(impressions)
    const ms = performance.now() - startMs
    const { user, system } = process.cpuUsage(cpu)
    return { ms, cpuUs: user + system }
  },
}

export type SenderAnswers = typeof answers

answerParent(answers)
