import { createTracker, type Tracker } from '../../lib/tracker.js'
import { send } from '../../lib/visibility/reply.js'
import { type App, at, type Framework, type Options, type Page } from '../frameworks/framework.js'

/** A server without a framework: it asks the tracker first what to answer, then for the helper. */
export const bareServer: Framework = {
  name: 'node:http',
  protocol: 'http1',
  hasMiddleware: false,
  build(options, _layers, page): App {
    const trackers = options.map((its: Options) =>
      'tracker' in its ? its.tracker : createTracker(its),
    )
    return { ...bareApp(at(trackers, 0), page), trackers }
  },
}

export const bareServerOnHttp2: Framework = {
  ...bareServer,
  name: 'node:http2',
  protocol: 'http2',
  build(options, layers, page): App {
    const app = bareServer.build(options, layers, page)
    // node:http2 makes its requests and responses work as node:http's.
    return {
      ...app,
      http2Listener: (req, res) => Reflect.apply(app.listener, undefined, [req, res]),
    }
  },
}

export function bareApp(tracker: Tracker, page: Page): App {
  return {
    trackers: [tracker],
    listener(req, res) {
      const reply = tracker.reply(req)
      if (reply) {
        void reply.then((answer) => send(res, answer))
        return
      }
      void page({
        trackImpression: tracker.pageLoad(req, res),
        req,
        res,
        source: req,
        answer: (body) => void res.end(body),
        redirect: () => void res.writeHead(302, { location: '/elsewhere' }).end(),
      })
    },
  }
}
