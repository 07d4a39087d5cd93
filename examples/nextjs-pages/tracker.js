import { createTracker } from 'ad-impressions'

/** The tracker of this process. Next.js may load this module several times, and also when it builds. */
export function getTracker() {
  globalThis.tracker ??= createTracker({
    visibility: { secret: process.env.AD_IMPRESSIONS_SECRET, path: '/api/ad-impressions' },
  })
  return globalThis.tracker
}

/** Needs NEXT_MANUAL_SIG_HANDLE=true in the environment: otherwise Next.js exits without waiting. */
export function closeTrackerOnStop() {
  const tracker = getTracker()
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, async () => {
      await tracker.close() // delivers pending impressions
      process.exit(0)
    })
  }
}
