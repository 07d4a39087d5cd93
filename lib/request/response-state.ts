import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** `finished`: written completely. `aborted`: ended before that. `open`: neither yet. */
export type ResponseState = 'open' | 'finished' | 'aborted'

/** The parts of Node's HTTP/2 stream that are read here. The compatibility API exposes the stream. */
interface Http2Stream {
  readonly destroyed: boolean
  readonly aborted: boolean
  readonly rstCode: number
  readonly writableFinished: boolean
}

/** The state of the response now. Adds no listener. */
export function readResponseState(req: IncomingMessage, res: ServerResponse): ResponseState {
  const stream = findHttp2Stream(res)
  if (stream) {
    if (stream.destroyed || stream.aborted) return isComplete(stream) ? 'finished' : 'aborted'
    return res.writableFinished ? 'finished' : 'open'
  }
  const isGone = res.destroyed || req.socket?.destroyed
  if (!isGone) return res.writableFinished ? 'finished' : 'open'
  // `writableFinished` is also true if the response was ended after the client had disconnected. But
  // only a response that was written completely has detached from its socket.
  return res.writableFinished && !res.socket ? 'finished' : 'aborted'
}

/** Calls `listener` once, when the response has been written completely or was aborted. */
export function whenResponseEnds(
  req: IncomingMessage,
  res: ServerResponse,
  listener: (state: 'finished' | 'aborted') => void,
): void {
  // A pipelined response that waits for its turn has no socket yet. If the client disconnects
  // meanwhile, neither 'finish' nor 'close' is emitted on the response. Requests that a server makes
  // to itself without a network, as Nitro does, may have a socket without events.
  const waitsForTurn = !res.socket && typeof req.socket?.on === 'function'
  const removeSocketListener = waitsForTurn
    ? addSocketCloseListener(req.socket, onClose)
    : undefined
  let hasEnded = false
  res.on('finish', onFinish)
  res.on('close', onClose)

  // A failed write also ends in 'finish', and HTTP/2 emits it however the stream has ended.
  function onFinish(): void {
    const stream = findHttp2Stream(res)
    const isFinished = stream ? isComplete(stream) : !req.socket?.destroyed
    end(isFinished ? 'finished' : 'aborted')
  }
  // Adapters for serverless platforms emit 'close' from a 'finish' listener, and so before ours.
  function onClose(): void {
    const state = readResponseState(req, res)
    if (state === 'open') process.nextTick(end, 'aborted')
    else end(state)
  }
  function end(state: 'finished' | 'aborted'): void {
    if (hasEnded) return
    hasEnded = true
    res.off('finish', onFinish)
    res.off('close', onClose)
    removeSocketListener?.()
    listener(state)
  }
}

function findHttp2Stream(
  res: ServerResponse & { readonly stream?: Partial<Http2Stream> },
): Http2Stream | undefined {
  const { stream } = res
  return typeof stream?.rstCode === 'number' ? (stream as Http2Stream) : undefined
}

function isComplete({ aborted, rstCode, writableFinished }: Http2Stream): boolean {
  return writableFinished && !aborted && rstCode === 0
}

/** Responses that wait on one socket share one 'close' listener, however many are pipelined. */
interface SocketListeners {
  readonly listeners: Set<() => void>
  readonly onClose: () => void
}

const listenersBySocket = new WeakMap<Socket, SocketListeners>()

/** @returns a function that removes the listener */
function addSocketCloseListener(socket: Socket, listener: () => void): () => void {
  const shared = listenersBySocket.get(socket) ?? shareListener(socket)
  shared.listeners.add(listener)
  return () => {
    shared.listeners.delete(listener)
    if (shared.listeners.size > 0) return
    socket.off('close', shared.onClose)
    listenersBySocket.delete(socket)
  }
}

function shareListener(socket: Socket): SocketListeners {
  const listeners = new Set<() => void>()
  const shared: SocketListeners = {
    listeners,
    onClose() {
      for (const listener of listeners) listener()
    },
  }
  socket.on('close', shared.onClose)
  listenersBySocket.set(socket, shared)
  return shared
}
