import { createServer, type Server } from 'node:http'
import type { Contestant, Counting } from '../contestants/contestant.js'
import type { InputsOf, TrackerMethods } from './products.js'

export type Framework = 'express' | 'koa'

interface Site {
  readonly server: Server
  readonly tracker: TrackerMethods | undefined
}

/** The page, counted in the contestant's way. */
export async function siteOf(
  framework: Framework,
  { impressions }: Contestant,
  counting: Counting,
): Promise<Site> {
  const make = (first: number) =>
    Array.from({ length: impressions }, (_, place) => counting.inputOf(first + place) as never)
  const usual = make(1)
  const inputsOf: InputsOf = (first) => (first === undefined ? usual : make(Number(first)))
  const { listener, tracker } =
    framework === 'express'
      ? await (await import('./express-site.js')).expressSite(counting, inputsOf)
      : await (await import('./koa-site.js')).koaSite(counting, inputsOf)
  return { server: createServer(listener), tracker }
}
