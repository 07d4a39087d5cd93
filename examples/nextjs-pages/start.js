// Next.js, Pages Router, without a custom server: the standalone build, started as a container does,
// from a folder that has nothing else. Start it with: npm run example nextjs-pages

import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = mkdtempSync(path.join(tmpdir(), 'nextjs-pages-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

// In an app of its own, the build has no folder for each level above the app.
const app = path.join(folder, 'examples/nextjs-pages')
cpSync('.next/standalone', folder, { recursive: true })
cpSync('.next/static', path.join(app, '.next/static'), { recursive: true })

process.env.HOSTNAME = 'localhost'
process.env.NEXT_MANUAL_SIG_HANDLE = 'true' // see instrumentation.js
// Use your own secret, the same in every process: openssl rand -base64 32
process.env.AD_IMPRESSIONS_SECRET ??= randomBytes(32).toString('base64')
await import(pathToFileURL(path.join(app, 'server.js')).href)
