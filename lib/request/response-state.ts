import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** `open` while it may still be written, `whole` once it was, `broken` if it broke off before. */
export type ResponseState = 'open' | 'whole' | 'broken'

/** What tells of an HTTP/2 stream; the compatibility API has it on the response. */
interface Http2Stream {
  readonly destroyed: boolean
  readonly aborted: boolean
  readonly rstCode: number
  readonly writableFinished: boolean
}

/** How far a response has come, asked without a listener on it. */
export function readResponseState(req: IncomingMessage, res: ServerResponse): ResponseState {
  const stream = findHttp2Stream(res)
  if (stream) {
    if (stream.destroyed || stream.aborted) return isStreamWhole(stream) ? 'whole' : 'broken'
    return res.writableFinished ? 'whole' : 'open'
  }
  const isGone = res.destroyed || req.socket?.destroyed
  if (!isGone) return res.writableFinished ? 'whole' : 'open'
  // `writableFinished` is true of a response that was ended after its client had gone, too. But
  // only one that was written whole has let go of its socket.
  return res.writableFinished && !res.socket ? 'whole' : 'broken'
}

/** Calls `listener` once, when the response has been written whole or has broken off. */
export function onResponseEnded(
  req: IncomingMessage,
  res: ServerResponse,
  listener: (state: 'whole' | 'broken') => void,
): void {
  // A pipelined response that waits for its turn has no socket yet, and if the client leaves
  // meanwhile, it never hears of it: neither 'finish' nor 'close' is emitted on it.
  const forget = res.socket || !req.socket ? undefined : onSocketClose(req.socket, onClose)
  res.on('finish', onFinish)
  res.on('close', onClose)

  // A failed write ends in 'finish' as well, and HTTP/2 emits it however a stream has ended.
  function onFinish(): void {
    const stream = findHttp2Stream(res)
    const isWhole = stream ? isStreamWhole(stream) : !req.socket?.destroyed
    end(isWhole ? 'whole' : 'broken')
  }
  function onClose(): void {
    end('broken')
  }
  function end(state: 'whole' | 'broken'): void {
    res.off('finish', onFinish)
    res.off('close', onClose)
    forget?.()
    listener(state)
  }
}

function findHttp2Stream(
  res: ServerResponse & { readonly stream?: Partial<Http2Stream> },
): Http2Stream | undefined {
  const { stream } = res
  return typeof stream?.rstCode === 'number' ? (stream as Http2Stream) : undefined
}

function isStreamWhole({ aborted, rstCode, writableFinished }: Http2Stream): boolean {
  return writableFinished && !aborted && rstCode === 0
}

interface Queue {
  readonly listeners: Set<() => void>
  readonly onClose: () => void
}

/** The responses that wait on a socket share one listener, however long the pipeline is. */
const queues = new WeakMap<Socket, Queue>()

function onSocketClose(socket: Socket, listener: () => void): () => void {
  const queue = queues.get(socket) ?? openQueue(socket)
  queue.listeners.add(listener)
  return () => {
    queue.listeners.delete(listener)
    if (queue.listeners.size > 0) return
    socket.off('close', queue.onClose)
    queues.delete(socket)
  }
}

function openQueue(socket: Socket): Queue {
  const listeners = new Set<() => void>()
  const queue: Queue = {
    listeners,
    onClose() {
      for (const listener of listeners) listener()
    },
  }
  socket.on('close', queue.onClose)
  queues.set(socket, queue)
  return queue
}
