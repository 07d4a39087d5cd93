import type Koa from 'koa'
import type { Context, Next } from 'koa'
import { impressions } from '../../lib/koa.js'
import { type App, at, type Framework, type Options } from './framework.js'

/** Koa's contract is the same for its major versions 2 and 3, and on HTTP/2. */
export function koaFramework(
  name: string,
  makeApp: typeof Koa,
  protocol: Framework['protocol'] = 'http1',
): Framework {
  return {
    name,
    protocol,
    hasMiddleware: true,
    build(options, layers, page): App {
      const app = new makeApp()
      app.silent = true
      const part = new makeApp()
      const middlewares = options.map((its: Options) => impressions(its))
      for (const { of, at: place } of layers) {
        const target = place === 'app' ? app : part
        target.use(at(middlewares, of))
      }
      part.use((ctx) =>
        page({
          trackImpression: ctx.state.trackImpression,
          req: ctx.req,
          res: ctx.res,
          source: ctx,
          answer(body) {
            ctx.body = body
          },
          redirect: () => ctx.redirect('/elsewhere'),
        }),
      )
      app.use(mounted(part))
      const listener = app.callback()
      return { listener, http2Listener: listener, trackers: middlewares }
    },
  }
}

/** As koa-mount does it: the part's middlewares run one inside the other, on the app's context. */
function mounted(part: Koa) {
  return (ctx: Context, next: Next): Promise<unknown> => {
    const run = (index: number): Promise<unknown> => {
      const middleware = part.middleware[index]
      return middleware ? Promise.resolve(middleware(ctx, () => run(index + 1))) : next()
    }
    return run(0)
  }
}
