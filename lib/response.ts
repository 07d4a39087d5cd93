import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Suppression } from './impression.js'

/**
 * Calls `listener` once: with `true` when the response has been written whole, with `false` when
 * its connection closed before that.
 */
export function whenEnded(
  req: IncomingMessage,
  res: ServerResponse,
  listener: (finished: boolean) => void,
): void {
  // A pipelined response that waits for its turn has no socket yet, and if the client leaves
  // meanwhile, it never hears of it: neither 'finish' nor 'close' is emitted on it.
  const socket = res.socket ? undefined : req.socket
  const onFinish = () => end(true)
  const onClose = () => end(false)
  function end(finished: boolean): void {
    res.off('finish', onFinish)
    res.off('close', onClose)
    socket?.off('close', onClose)
    listener(finished)
  }
  res.on('finish', onFinish)
  res.on('close', onClose)
  socket?.on('close', onClose)
}

/** Why a response as it stands now displays nothing; `undefined` if it does, or still may. */
export function fateOf(req: IncomingMessage, res: ServerResponse): Suppression | undefined {
  const gone = res.destroyed || req.socket?.destroyed
  return gone && !res.writableFinished ? 'aborted' : fateByStatus(res.statusCode)
}

/** Why a response with this status displays nothing, once it has been written. */
export function fateByStatus(status: number): Suppression | undefined {
  if (status >= 500) return 'server-error'
  // A 304 shows the page that the browser has kept.
  if (status >= 300 && status < 400 && status !== 304) return 'redirect'
  return undefined
}

/** Whether shared caches may keep the response: displays of their copies never reach this server. */
export function isShared(res: ServerResponse): boolean {
  return /(^|[\s,])(public|s-maxage\s*=)/i.test(String(res.getHeader('cache-control') ?? ''))
}

/** Lets the browser keep the response as before, and shared caches never. */
export function makePrivate(res: ServerResponse): void {
  const directives = String(res.getHeader('cache-control') ?? '')
    .split(',')
    .map((directive) => directive.trim())
  if (directives.some((directive) => /^(private|no-store)$/i.test(directive))) return
  const kept = directives.filter((directive) => !/^(public|s-maxage\s*=.*|)$/i.test(directive))
  res.setHeader('Cache-Control', ['private', ...kept].join(', '))
}
