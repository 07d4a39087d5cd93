import { AMPLE_CALLS_PER_MINUTE } from '../contestants/contestants.js'
import { RpcChild } from '../rpc-child.js'
import type { Sink } from '../sink/start-sink.js'
import type { SenderMethods } from './sender-process.js'
import { isClosient, type SenderSetup } from './sender-setups.js'

export type SenderProcess = RpcChild<SenderMethods>

/**
 * Starts a sender with a port of its own at the sink, and warms it up without latency. Closient's
 * quota learns the sink's limits.
 */
export async function startSender(
  { name, connections, warmUp }: Pick<SenderSetup, 'name' | 'connections' | 'warmUp'>,
  latencyMs: number,
  sink: Sink,
): Promise<{ readonly sender: SenderProcess; readonly port: number }> {
  const port = await sink.call(
    'open',
    isClosient(name)
      ? { protocol: 'closient', latencyMs: 0, callsPerMinute: AMPLE_CALLS_PER_MINUTE }
      : { protocol: 'ens', latencyMs: 0 },
  )
  const args = [name, `http://127.0.0.1:${port}`, String(connections)]
  const module = new URL('sender-process.js', import.meta.url)
  const sender = await RpcChild.start<SenderMethods>(module, { args })
  await sender.call('send', warmUp)
  await sink.call('setLatency', { port, latencyMs })
  return { sender, port }
}
