import { createServer, type Server } from 'node:http'
import type { Contestant, Counting } from '../contestants/contestant.js'
import type { InputsOf, TrackerMethods } from './app.js'

export type Framework = 'express' | 'koa'

/** @throws {RangeError} where there is none of that name */
export function frameworkOf(name: string | undefined): Framework {
  if (name === 'express' || name === 'koa') return name
  throw new RangeError(`no framework ${name}`)
}

interface Site {
  readonly server: Server
  readonly tracker: TrackerMethods | undefined
}

/** On loopback, on a port that is free, which it resolves to. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
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
