import type express from 'express'
import type { Express, NextFunction, Request, Response, Router } from 'express'
import { impressions } from '../../lib/express.js'
import { type App, type Framework, type FrameworkPage, getItem } from './framework.js'

/** The contract is the same for Express 4 and 5. */
export function createExpressFramework(name: string, createApp: typeof express): Framework {
  return {
    name,
    protocol: 'http1',
    hasMiddleware: true,
    build(options, layers, page): App {
      const app: Express = createApp()
      const router: Router = createApp.Router()
      const middlewares = options.map((each) => impressions(each))
      for (const { optionsIndex, target } of layers) {
        const parent = target === 'app' ? app : router
        parent.use(getItem(middlewares, optionsIndex))
      }
      router.use((req, res, next) => void runPage(page, req, res, next))
      app.use(router)
      app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
        if (res.headersSent) next(error)
        else res.status(500).send('failed')
      })
      return { listener: app, trackers: middlewares }
    },
  }
}

async function runPage(
  page: FrameworkPage,
  req: Request,
  res: Response,
  next: NextFunction,
): Promise<void> {
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
    // Express 4 does not handle rejected promises.
    next(error)
  }
}
