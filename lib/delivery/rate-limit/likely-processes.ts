import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'

/**
 * A worker of `node:cluster` does not see the others: `cluster.workers` is the primary's, and the
 * worker's own id counts the restarts too. So it assumes one per CPU, as most clusters have. The
 * guess may be wrong: with half of the real number, or with eight times as many, a day's calls
 * still carry what they could, with or without headers. Hence a limit of eight: it suits clusters
 * of 1 to 16 workers, on a machine of any size.
 */
const MOST_ASSUMED = 8

/** How many processes probably share the work of this one, itself included. */
export function likelyProcesses(environment: NodeJS.ProcessEnv = process.env): number {
  // PM2 passes its options to the processes that it starts: the number that it was told to start.
  const instances = environment.pm_id === undefined ? Number.NaN : Number(environment.instances)
  if (Number.isSafeInteger(instances) && instances >= 1) return instances
  return cluster.isWorker ? Math.min(availableParallelism(), MOST_ASSUMED) : 1
}
