import { createTracker, type Tracker } from '../../lib/tracker.js'
import { sendReply } from '../../lib/visibility/reply.js'
import { type App, at, type Framework, type Options, type Page } from './framework.js'

/** A server without a framework: it asks the tracker what to answer, and for the helper, by itself. */
export const bareFramework: Framework = {
  name: 'node:http',
  protocol: 'http1',
  hasMiddleware: false,
  build(options, layers, page): App {
    const trackers = options.map((its: Options) =>
      'tracker' in its ? its.tracker : createTracker(its),
    )
    const mounted = layers.map(({ of }) => at(trackers, of))
    return { ...bareApp(mounted, page), trackers }
  },
}

export const bareFrameworkOnHttp2: Framework = {
  ...bareFramework,
  name: 'node:http2',
  protocol: 'http2',
  build(options, layers, page): App {
    const app = bareFramework.build(options, layers, page)
    // node:http2 makes its requests and responses work as node:http's.
    return {
      ...app,
      http2Listener: (req, res) => Reflect.apply(app.listener, undefined, [req, res]),
    }
  },
}

/** A page of the first tracker's; all of them are asked for a helper, as if mounted one by one. */
export function bareApp(trackers: readonly Tracker[], page: Page): App {
  return {
    trackers,
    listener(req, res) {
      const reply = at(trackers, 0).reply(req)
      if (reply) {
        void reply.then((answer) => sendReply(res, answer))
        return
      }
      const helpers = trackers.map((tracker) => tracker.pageLoad(req, res))
      const visit = {
        trackImpression: at(helpers, 0),
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
}
