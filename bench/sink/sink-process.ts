/** A process that receives the contestants' calls, each contestant on its own port. */
import { serveParent } from '../rpc-child.js'
import { type SinkFault, SinkPort, type SinkPortOptions, type SinkTotals } from './sink-port.js'

const ports = new Map<number, SinkPort>()

const methods = {
  async open(options: SinkPortOptions): Promise<number> {
    const port = await SinkPort.open(options)
    ports.set(port.number, port)
    return port.number
  },
  getTotals: (port: number): SinkTotals => getPort(port).getTotals(),
  /** Counts the calls without parsing them. */
  countCalls: (port: number): number => getPort(port).calls,
  getCountByCampaign: (port: number): Map<number, number> => getPort(port).getCountByCampaign(),
  setLatency: ({ port, latencyMs }: { port: number; latencyMs: number }) =>
    getPort(port).setLatency(latencyMs),
  setFault: ({ port, fault }: { port: number; fault: SinkFault | undefined }) =>
    getPort(port).setFault(fault),
}

function getPort(number: number): SinkPort {
  const port = ports.get(number)
  if (!port) throw new RangeError(`unknown port: ${number}`)
  return port
}

export type SinkMethods = typeof methods

serveParent(methods)
