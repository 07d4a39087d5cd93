import type express from 'express'
import type { Express, NextFunction, Request, Response, Router } from 'express'
import { impressions } from '../../lib/express.js'
import { type App, at, type Framework, type Layer, type Options, type Page } from './framework.js'

type ExpressModule = typeof express

/** Express's contract is the same for its major versions 4 and 5. */
export function expressFramework(name: string, makeApp: ExpressModule): Framework {
  return {
    name,
    protocol: 'http1',
    hasMiddleware: true,
    build(options, layers, page): App {
      const app: Express = makeApp()
      const router: Router = makeApp.Router()
      const middlewares = options.map((its: Options) => impressions(its))
      for (const { of, at: place } of layers satisfies readonly Layer[]) {
        const target = place === 'app' ? app : router
        target.use(at(middlewares, of))
      }
      router.use((req, res, next) => void serve(page, req, res, next))
      app.use(router)
      app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
        if (res.headersSent) next(error)
        else res.status(500).send('failed')
      })
      return { listener: app, trackers: middlewares }
    },
  }
}

async function serve(page: Page, req: Request, res: Response, next: NextFunction): Promise<void> {
  try {
    await page({
      trackImpression: res.locals.trackImpression,
      req,
      res,
      source: req,
      answer: (body) => void res.send(body),
      redirect: () => res.redirect('/elsewhere'),
    })
  } catch (error) {
    // Express 4 does not look after promises.
    next(error)
  }
}
