import { createServer, type Server } from 'node:http'
import type { Contestant, RunningContestant } from '../contestants/contestant.js'
import type { CreatePageInputs, SiteTracker } from './site-app.js'

export type SiteFramework = 'express' | 'koa'

/** @throws {RangeError} if there is no such framework */
export function parseFramework(name: string | undefined): SiteFramework {
  if (name === 'express' || name === 'koa') return name
  throw new RangeError(`unknown framework: ${name}`)
}

interface CreatedSite {
  readonly server: Server
  readonly tracker: SiteTracker | undefined
}

/** Listens on a free port of the loopback interface. Resolves to the port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Creates a server for the page, whose impressions the contestant counts. */
export async function createSite(
  framework: SiteFramework,
  { impressionsPerPage }: Contestant,
  running: RunningContestant,
): Promise<CreatedSite> {
  const createInputsFrom = (first: number) =>
    Array.from({ length: impressionsPerPage }, (_, slot) => {
      return running.createInput(first + slot) as never
    })
  const defaultInputs = createInputsFrom(1)
  const createInputs: CreatePageInputs = (first) =>
    first === undefined ? defaultInputs : createInputsFrom(Number(first))
  // Only the framework in use is imported, because the memory of the process is measured.
  const { listener, tracker } =
    framework === 'express'
      ? await (await import('./express-app.js')).createExpressApp(running, createInputs)
      : await (await import('./koa-app.js')).createKoaApp(running, createInputs)
  return { server: createServer(listener), tracker }
}
