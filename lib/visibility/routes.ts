import type { IncomingMessage } from 'node:http'
import type { ClientScript } from './client-script.js'
import type { Reply } from './reply.js'
import { readReport } from './report-body.js'
import { isSameOrigin } from './same-origin.js'
import type { VisibleReports } from './visible-reports.js'

const FOREIGN_REPORT = { expected: 'one that a page of this site has sent' }

/** What the browser's half asks for below `path`: itself, and to be heard. */
export class Routes<Source> {
  readonly #path: string
  readonly #script: ClientScript
  readonly #reports: VisibleReports<Source>

  constructor(path: string, script: ClientScript, reports: VisibleReports<Source>) {
    this.#path = path
    this.#script = script
    this.#reports = reports
  }

  /** Where a page finds the browser's half, which reports to the same place. */
  scriptAddress(mountPath: string): string {
    return this.#script.address(`${mountPath}${this.#path}/client.js`)
  }

  /** @returns `undefined` for a request that is for somebody else */
  reply(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> | undefined {
    const { url = '', method } = req
    if (!url.startsWith(this.#path)) return undefined
    const [route = '', query] = url.slice(this.#path.length).split('?', 2)
    if (route === '/client.js') {
      return method === 'GET' || method === 'HEAD'
        ? Promise.resolve(this.#script.reply(query, req.headers))
        : refuse('GET, HEAD')
    }
    if (route !== '') return undefined
    return method === 'POST' ? this.#handleReport(req, source, body) : refuse('POST')
  }

  /** Good and bad reports are answered alike. */
  async #handleReport(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> {
    // Read in any case, so that its answer does not tell either.
    const report = await readReport(req, body)
    const isOurs = isSameOrigin(req.headers)
    this.#reports.record(isOurs ? report : FOREIGN_REPORT, req, source)
    // What has not been read of the body is not waited for.
    const isUnread = !req.readableEnded && req.httpVersionMajor === 1
    return {
      status: 204,
      headers: { 'cache-control': 'no-store', ...(isUnread && { connection: 'close' }) },
    }
  }
}

async function refuse(allow: string): Promise<Reply> {
  return { status: 405, headers: { allow } }
}
