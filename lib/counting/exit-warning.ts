import type { Stats } from './statistics.js'

/** The trackers that have not been closed. */
const open = new Set<() => Stats>()

/**
 * Says on stderr, as the process exits, how many impressions were never delivered: without
 * `close()` they are lost, and nobody would know.
 *
 * @returns a function that takes the tracker off the list
 */
export function warnAtExit(stats: () => Stats): () => void {
  if (open.size === 0) process.on('exit', notice)
  open.add(stats)
  return () => {
    open.delete(stats)
    if (open.size === 0) process.off('exit', notice)
  }
}

function notice(): void {
  for (const stats of open) {
    const left = Object.entries(stats())
      .map(([network, { held, pending }]) => ({ network, count: held + pending }))
      .filter(({ count }) => count > 0)
      .map(({ network, count }) => `${count} for ${network}`)
    if (left.length === 0) continue
    process.stderr.write(
      `ad-impressions: the process exits with impressions undelivered: ${left.join(', ')}; ` +
        'await close() before it does\n',
    )
  }
}
