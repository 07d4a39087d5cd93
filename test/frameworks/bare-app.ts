import { sendReply } from '../../lib/request/reply.js'
import { createTracker, type Tracker } from '../../lib/tracker.js'
import {
  type App,
  type Framework,
  type FrameworkOptions,
  type FrameworkPage,
  getItem,
} from './framework.js'

/** A server without a framework: it calls `reply` and `pageLoad` of the tracker itself. */
export const bareFramework: Framework = {
  name: 'node:http',
  protocol: 'http1',
  hasMiddleware: false,
  build(options, layers, page): App {
    const trackers = options.map((each: FrameworkOptions) =>
      'tracker' in each ? each.tracker : createTracker(each),
    )
    const mounted = layers.map(({ optionsIndex }) => getItem(trackers, optionsIndex))
    return { ...createBareApp(mounted, page), trackers }
  },
}

export const bareFrameworkOnHttp2: Framework = {
  ...bareFramework,
  name: 'node:http2',
  protocol: 'http2',
  build(options, layers, page): App {
    const app = bareFramework.build(options, layers, page)
    // The compatibility API of node:http2 has the same requests and responses as node:http.
    return {
      ...app,
      http2Listener: (req, res) => Reflect.apply(app.listener, undefined, [req, res]),
    }
  },
}

/**
 * Creates an app whose page uses the first tracker. Each tracker's `pageLoad` is called, as if all
 * were mounted one after another.
 */
export function createBareApp(trackers: readonly Tracker[], page: FrameworkPage): App {
  return {
    trackers,
    listener(req, res) {
      const reply = getItem(trackers, 0).reply(req)
      if (reply) {
        void reply.then((response) => sendReply(res, response))
        return
      }
      const helpers = trackers.map((tracker) => tracker.pageLoad(req, res))
      const visit = {
        trackImpression: getItem(helpers, 0),
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
