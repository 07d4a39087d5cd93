import type Koa from 'koa'
import type { Context, Next } from 'koa'
import { impressions } from '../../lib/koa.js'
import { type App, type Framework, getItem } from './framework.js'

/** The contract is the same for Koa 2 and 3, and on HTTP/2. */
export function createKoaFramework(
  name: string,
  KoaApp: typeof Koa,
  protocol: Framework['protocol'] = 'http1',
): Framework {
  return {
    name,
    protocol,
    hasMiddleware: true,
    build(options, layers, page): App {
      const app = new KoaApp()
      app.silent = true
      const part = new KoaApp()
      const middlewares = options.map((each) => impressions(each))
      for (const { optionsIndex, target } of layers) {
        const parent = target === 'app' ? app : part
        parent.use(getItem(middlewares, optionsIndex))
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
      app.use(mount(part))
      const listener = app.callback()
      return { listener, http2Listener: listener, trackers: middlewares }
    },
  }
}

/** Does what koa-mount does: runs the part's middlewares, nested, on the app's context. */
function mount(part: Koa) {
  return (ctx: Context, next: Next): Promise<unknown> => {
    const run = (index: number): Promise<unknown> => {
      const middleware = part.middleware[index]
      return middleware ? Promise.resolve(middleware(ctx, () => run(index + 1))) : next()
    }
    return run(0)
  }
}
