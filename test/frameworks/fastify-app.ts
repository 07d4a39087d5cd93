import type { IncomingMessage, ServerResponse } from 'node:http'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { impressions } from '../../lib/fastify.js'
import { type App, type Framework, type FrameworkPage, getItem } from './framework.js'

/** The contract is the same on HTTP/2. */
export function createFastifyFramework(
  name: string,
  protocol: Framework['protocol'] = 'http1',
): Framework {
  return {
    name,
    protocol,
    hasMiddleware: true,
    build(options, layers, page): App {
      const app = fastify()
      const plugins = options.map((each) => impressions(each))
      const registerOn = (parent: FastifyInstance, target: 'app' | 'part') => {
        for (const layer of layers) {
          if (layer.target === target) parent.register(getItem(plugins, layer.optionsIndex))
        }
      }
      registerOn(app, 'app')
      app.register((part, _options, done) => {
        registerOn(part, 'part')
        part.get('*', (request, reply) => runPage(page, request, reply))
        done()
      })
      const ready = app.ready()
      const listener = (req: IncomingMessage, res: ServerResponse) =>
        void ready.then(() => app.routing(req, res))
      return {
        listener,
        http2Listener: (req, res) => Reflect.apply(listener, undefined, [req, res]),
        trackers: plugins,
      }
    },
  }
}

async function runPage(
  page: FrameworkPage,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  await page({
    trackImpression: reply.locals.trackImpression,
    req: request.raw,
    res: reply.raw,
    source: request,
    answer(body) {
      if (reply.raw.headersSent) reply.hijack().raw.end(body)
      else reply.send(body)
    },
    redirect: () => reply.redirect('/elsewhere'),
  })
  return reply
}
