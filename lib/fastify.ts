/**
 * The plugin for Fastify.
 *
 * @module ad-impressions/fastify
 */
import type {
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReplyLocals,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify'
// Imported for its types. Without them, an app that imports only this entry has no input types.
import './networks/index.js'
import type { TrackImpression } from './track-impression.js'
import {
  type FrameworkTracker,
  type ImpressionsOptions,
  pickMethods,
  resolveTracker,
  type TrackerMethods,
} from './tracker.js'

declare module 'fastify' {
  /** What `@fastify/view` passes to every template. Add your own names by declaration merging. */
  interface FastifyReplyLocals extends Record<string, unknown> {
    trackImpression: TrackImpression
  }
  interface FastifyReply {
    locals: FastifyReplyLocals
  }
}

/** The plugin for Fastify, with the tracker's methods. */
export type ImpressionsPlugin = FastifyPluginCallback & TrackerMethods

/** What `fastify-plugin` sets: the plugin belongs to the instance that registers it. */
const PLUGIN_PROPERTIES = {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'ad-impressions',
  [Symbol.for('plugin-meta')]: { name: 'ad-impressions', fastify: '5.x' },
}

/**
 * Creates the plugin for Fastify, which makes `trackImpression` available to every template through
 * `reply.locals`, as `@fastify/view` reads it. Set properties of `reply.locals`; a new object in its
 * place hides the helper.
 *
 * `fastify.close()` also closes the tracker once the last response has been sent: it delivers what is
 * pending for up to 10 seconds. For another limit, call `close({ timeoutMs })` in an `onClose` hook
 * of your own. A tracker of `createTracker()` is left open.
 *
 * @example
 * await app.register(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is invalid or no network is configured
 */
export function impressions(options: ImpressionsOptions<FastifyRequest> = {}): ImpressionsPlugin {
  const tracker = resolveTracker(options)
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    requireFastify(app)
    addHelper(app, tracker)
    addRoutes(app, tracker)
    if (!('tracker' in options)) {
      app.addHook('onClose', () => tracker.methods[Symbol.asyncDispose]())
    }
    done()
  }
  return Object.assign(plugin, PLUGIN_PROPERTIES, pickMethods(tracker.methods))
}

/** @throws {TypeError} in Express and Koa, which would call the plugin with each request */
function requireFastify({ addHook }: Partial<FastifyInstance>): void {
  if (typeof addHook === 'function') return
  throw new TypeError(
    'ad-impressions: the plugin of ad-impressions/fastify works only in Fastify. Import impressions ' +
      "from 'ad-impressions' in Express, from 'ad-impressions/koa' in Koa",
  )
}

function addHelper(
  app: FastifyInstance,
  { pageLoad, misuse }: FrameworkTracker<FastifyRequest>,
): void {
  const atPrefix = createPrefixRemover(app)
  if (!app.hasReplyDecorator('locals')) app.decorateReply('locals')
  app.addHook('onRequest', (request, reply, done) => {
    const holder: { locals?: Partial<FastifyReplyLocals> } = reply
    holder.locals ??= {}
    // If the plugin is registered twice, the first one counts: both would count each display twice.
    const helper = atPrefix(request, () => pageLoad(request.raw, reply.raw, request))
    holder.locals.trackImpression ??= helper
    if (holder.locals.trackImpression !== helper) misuse.report('second-tracker')
    done()
  })
}

/**
 * Adds the routes of the client script, its reports and the inspector. Routes, unlike a hook, also run the hooks
 * that are added later, such as those of CORS or security headers, and exist below a prefix.
 */
function addRoutes(
  app: FastifyInstance,
  { reply, visibilityPath, inspectorPath }: FrameworkTracker<FastifyRequest>,
): void {
  const atPrefix = createPrefixRemover(app)
  // Before the body is parsed: a report counts whatever parsers and limits the app has.
  const onRequest: onRequestAsyncHookHandler = async (request, fastifyReply) => {
    const response = await atPrefix(request, () => reply(request.raw, request, undefined))
    if (!response) return
    const { status, headers, body } = response
    return fastifyReply.code(status).headers(headers).send(body)
  }
  const visibility =
    visibilityPath === undefined ? [] : [visibilityPath, `${visibilityPath}/client.js`]
  const inspector = inspectorPath === undefined ? [] : [inspectorPath]
  for (const url of [...visibility, ...inspector]) {
    // Registered twice, the plugin has its routes already.
    if (app.hasRoute({ method: 'POST', url: app.prefix.replace(/\/$/, '') + url })) continue
    const options = { onRequest, exposeHeadRoute: false }
    app.all(url, options, (_request, fastifyReply) => fastifyReply.callNotFound())
  }
}

/**
 * Creates a function that calls `run` while the request has the URL below the instance's prefix, as
 * Express's routers do it. A prefix may have parameters, so its segments are counted.
 */
function createPrefixRemover({ prefix }: FastifyInstance) {
  const segments = prefix.split('/').filter(Boolean).length
  const prefixPattern = new RegExp(`^(?:/[^/?]*){${segments}}`)
  return <Result>({ raw, originalUrl }: FastifyRequest, run: () => Result): Result => {
    if (segments === 0) return run()
    const { url = '/' } = raw
    Object.assign(raw, { originalUrl, url: url.replace(prefixPattern, '') })
    try {
      return run()
    } finally {
      raw.url = url
    }
  }
}
