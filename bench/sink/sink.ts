/**
 * The process that takes the contestants' calls, each on a port of its own, and keeps the books of
 * what arrived.
 */
import { answerParent } from '../child.js'
import { type Fault, Port, type PortOptions } from './port.js'

const ports = new Map<number, Port>()

const answers = {
  async open(options: PortOptions): Promise<number> {
    const port = await Port.open(options)
    ports.set(port.number, port)
    return port.number
  },
  /** Calls that were read, and impressions that were counted of them. */
  tally: (number: number) => portAt(number).tally(),
  calls: (number: number): number => portAt(number).calls,
  /** How often each campaign was counted. */
  arrivals: (number: number): Map<number, number> => portAt(number).arrivals(),
  setLatency: ({ port, latencyMs }: { port: number; latencyMs: number }) =>
    portAt(port).setLatency(latencyMs),
  fault: ({ port, fault }: { port: number; fault: Fault | undefined }) =>
    portAt(port).setFault(fault),
}

function portAt(number: number): Port {
  const port = ports.get(number)
  if (!port) throw new RangeError(`no port ${number}`)
  return port
}

export type SinkAnswers = typeof answers

answerParent(answers)
