import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'
import { readOriginalUrl } from '../request/original-url.js'
import type { Reply } from '../request/reply.js'
import type { ClientScript } from './client-script.js'
import { findMountPath } from './mount-path.js'
import { readReport } from './report-body.js'
import type { ReportWatch } from './report-watch.js'
import type { VisibleReports } from './visible-reports.js'

export interface RoutesDependencies<Source> {
  /** The option `visibility.path`. */
  readonly path: string
  readonly script: ClientScript
  readonly reports: VisibleReports<Source>
  readonly watch: ReportWatch
  readonly clock: Clock
}

/**
 * The routes below the option `visibility.path`: `GET /client.js` serves the client script, and
 * `POST` to the path itself receives its reports.
 */
export class Routes<Source> {
  readonly #path: string
  readonly #script: ClientScript
  readonly #reports: VisibleReports<Source>
  readonly #clock: Clock
  readonly #watch: ReportWatch

  constructor({ path, script, reports, watch, clock }: RoutesDependencies<Source>) {
    this.#clock = clock
    this.#path = path
    this.#script = script
    this.#reports = reports
    this.#watch = watch
  }

  /** The URL of the client script. The script derives from it the URL to which it reports. */
  scriptUrl(mountPath: string): string {
    return this.#script.addVersion(`${mountPath}${this.#path}/client.js`)
  }

  /** @returns `undefined` if the request is not for one of these routes */
  reply(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> | undefined {
    const { url = '', method } = req
    if (!url.startsWith(this.#path)) return undefined
    const [route = '', query] = url.slice(this.#path.length).split('?', 2)
    if (route === '/client.js') {
      if (method !== 'GET' && method !== 'HEAD') return refuseMethod('GET, HEAD')
      this.#watch.onScriptServed()
      return Promise.resolve(this.#script.reply(this.#endpoint(req, source), query, req.headers))
    }
    if (route !== '') return undefined
    return method === 'POST' ? this.#handleReport(req, source, body) : refuseMethod('POST')
  }

  /** The path of the reports, as browsers see it. */
  #endpoint(req: IncomingMessage, source: Source): string {
    return findMountPath(readOriginalUrl(req, source), req.url ?? '/') + this.#path
  }

  /** Valid and invalid reports get the same answer, so that a client learns nothing from it. */
  async #handleReport(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> {
    this.#reports.record(await readReport(req, body, this.#clock), req, source)
    // Closes the connection instead of waiting for a body that was not read to its end.
    const isUnread = !req.readableEnded && req.httpVersionMajor === 1
    return {
      status: 204,
      headers: { 'cache-control': 'no-store', ...(isUnread && { connection: 'close' }) },
    }
  }
}

async function refuseMethod(allow: string): Promise<Reply> {
  return { status: 405, headers: { allow } }
}
