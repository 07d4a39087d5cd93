import { createTracker } from '../../lib/tracker.js'
import { type App, at, type Framework, type Options } from './framework.js'

/** A server without a framework: it asks the tracker for the helper by itself. */
export const bareFramework: Framework = {
  name: 'node:http',
  protocol: 'http1',
  hasMiddleware: false,
  build(options, layers, page): App {
    const trackers = options.map((its: Options) =>
      'tracker' in its ? its.tracker : createTracker(its),
    )
    return {
      trackers,
      listener(req, res) {
        const [helper] = layers.map(({ of }) => at(trackers, of).pageLoad(req, res))
        if (!helper) throw new RangeError('no layer')
        const visit = {
          trackImpression: helper,
          req,
          res,
          source: req,
          answer: (body: string | Buffer) => void res.end(body),
          redirect: () => void res.writeHead(302, { location: '/elsewhere' }).end(),
        }
        Promise.resolve()
          .then(() => page(visit))
          .catch(() => {
            if (res.headersSent) req.socket.destroy()
            else res.writeHead(500).end('failed')
          })
      },
    }
  },
}
