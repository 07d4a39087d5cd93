/** A server with streams in a process of its own, for `sigterm.test.ts`: `node … <handler>`. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createTracker } from '../../lib/tracker.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'

/** The times of the documented handler are divided by this. */
const SPEED = 10

const tracker = createTracker({ traffic: { bots: 'count' } })
const server = createServer((req, res) => {
  const isEventStream = req.url === '/events'
  res.writeHead(200, { 'content-type': isEventStream ? 'text/event-stream' : 'text/html' })
  const trackImpression = tracker.pageLoad(req, res)
  trackImpression({ campaignId: 42, placement: 'header' })
  trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' })
  if (req.url === '/page') res.end('a page')
  else res.write('data: never ends\n\n')
})

function report(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** The code in docs/deployment.md, from the handler of SIGTERM to the end of its block. */
function readHandler(): string {
  const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8')
  const [, code] =
    /```js\n(?:(?!```)[\s\S])*?(process\.once\('SIGTERM'[\s\S]*?)```/.exec(page) ?? []
  if (code === undefined) throw new Error('docs/deployment.md shows no handler of SIGTERM')
  return code
}

if (process.argv[2] === 'handler') {
  const adImpressions = {
    async close({ timeoutMs }: { timeoutMs: number }) {
      const isDone = await tracker.close({ timeoutMs: timeoutMs / SPEED })
      report({ isDone, stats: tracker.stats() })
    },
  }
  const setTimer = (task: () => void, delayMs: number) => setTimeout(task, delayMs / SPEED)
  new Function('server', 'adImpressions', 'setTimeout', readHandler())(
    server,
    adImpressions,
    setTimer,
  )
}

await listenOnLoopback(server)
report({ port: getPort(server) })
