import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createTemporaryFolder, ROOT } from '../package/tarball.js'
import { type CodeBlock, readPages } from './markdown.js'

/** What a sample may leave out: a comment before it names these, `<!-- context: app, ad -->`. */
const CONTEXT: Readonly<Record<string, string>> = {
  impressions: "import { impressions } from 'ad-impressions'",
  networks: "import { closient, ens } from 'ad-impressions'",
  app: "const app = (await import('express')).default()",
  koaApp: "const app = new (await import('koa')).default()",
  fastifyApp: "const app = (await import('fastify')).default()",
  adImpressions: "const adImpressions = (await import('ad-impressions')).impressions()",
  tracker: "const tracker = (await import('ad-impressions')).createTracker()",
  redisClient: "declare const client: import('ioredis').Redis",
  server: "declare const server: import('node:http').Server",
  request: "declare const req: import('express').Request, res: import('express').Response",
  astro: 'declare const handler: (...args: unknown[]) => void',
  ad: 'declare const ad: { id: number, url: string, image: string, offerId: string }',
  trackImpression: "declare const trackImpression: import('ad-impressions').TrackImpression",
  nonce: 'declare const nonce: string',
  isAdmin: "declare function isAdmin(req: import('express').Request): boolean",
  hasConsented: "declare function hasConsented(req: import('express').Request): boolean",
}

export const samples = readPages().flatMap(({ blocks }) => blocks)
export const scripts = samples.filter(({ language }) => /^(js|ts)$/.test(language))
export const templates = samples.filter(({ language }) => language === 'ejs')
/** Complete programs that start a server. */
export const servers = scripts.filter(
  ({ code, context }) => context.length === 0 && /\.listen\(/.test(code) && /^import /m.test(code),
)

/** Files of tests. */
export const tests = scripts.filter(({ code }) => /^describe\(/m.test(code))

/** The sample with what it leaves out. */
export function complete({ code, context, position }: CodeBlock): string {
  const lines = context.map((name) => {
    const line = CONTEXT[name]
    if (line === undefined) throw new Error(`${position}: there is no context ${name}`)
    return line
  })
  return [...lines, code, 'export {}'].join('\n')
}

/** `docs/options.md:12` as a file name. */
export function toFileName({ position }: CodeBlock): string {
  return `samples/${position.replace(/\W+/g, '-')}.ts`
}

/** The app that samples of tests import. */
export const APP: readonly [file: string, text: string] = [
  'app.ts',
  `import express from 'express'
import { impressions } from 'ad-impressions'

export function createApp() {
  const app = express()
  app.use(impressions())
  app.get('/', (_req, res) => {
    res.send(res.locals.trackImpression({ campaignId: 42, placement: 'header_banner' }))
  })
  return app
}
`,
]

/**
 * Creates a folder in which `ad-impressions` is the built package, for Node.js and for TypeScript: a
 * package may import itself by its name.
 *
 * @param files the content of each
 */
export async function createSamplesFolder(files: ReadonlyMap<string, string>): Promise<string> {
  const folder = await createTemporaryFolder()
  for (const name of ['node_modules', 'dist', 'package.json']) {
    symlinkSync(path.join(ROOT, name), path.join(folder, name))
  }
  for (const [name, text] of files) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}
