import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AMPLE_CALLS_PER_MINUTE } from '../contestants/contestants.js'
import { RpcChild } from '../rpc-child.js'
import type { Sink } from '../sink/start-sink.js'
import type { FleetMethods } from './fleet-process.js'
import type { RedisServer } from './redis-server.js'

/** `disabled` counts and sends nothing. */
export type Engine = 'disabled' | 'memory' | 'lmdb' | 'redis'

export interface FleetSetup {
  readonly engine: Engine
  readonly network: 'ens' | 'closient'
  readonly processes: number
  readonly latencyMs?: number
  readonly leaseMs?: number
}

/** Processes with one outbox, and the port of the sink that they send to. */
export interface BenchFleet {
  readonly processes: readonly RpcChild<FleetMethods>[]
  readonly port: number
  stop(): Promise<void>
}

export async function startFleet(
  { engine, network, processes: count, latencyMs = 0, leaseMs = 10_000 }: FleetSetup,
  sink: Sink,
  redis: RedisServer,
): Promise<BenchFleet> {
  const port = await sink.call('open', {
    protocol: network,
    latencyMs,
    ...(network === 'closient' && { callsPerMinute: AMPLE_CALLS_PER_MINUTE }),
  })
  const directory = mkdtempSync(join(tmpdir(), 'bench-fleet-'))
  if (engine === 'redis') await redis.flush()
  const place = engine === 'redis' ? redis.url : directory
  const args = [engine, place, network, `http://127.0.0.1:${port}`, String(leaseMs)]
  const module = new URL('fleet-process.js', import.meta.url)
  const processes = await Promise.all(
    Array.from({ length: count }, () => RpcChild.start<FleetMethods>(module, { args })),
  )
  return {
    processes,
    port,
    async stop() {
      await Promise.all(processes.map((process) => process.stop()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
