// NestJS. Start it with: npm run example nestjs, or npm run example nestjs -- --adapter=fastify

import 'reflect-metadata'
import { parseArgs } from 'node:util'
import { createExpressApp } from './express.js'
import { createFastifyApp } from './fastify.js'

const { values } = parseArgs({ options: { adapter: { type: 'string' } } })
const app = values.adapter === 'fastify' ? await createFastifyApp() : await createExpressApp()

const signals = ['SIGINT', 'SIGTERM']
app.enableShutdownHooks(signals, { useProcessExit: true })
// Under npm, a signal arrives more than once. A later one must not end the process before its exit.
for (const signal of signals) process.on(signal, () => {})

await app.listen(process.env.PORT ?? 3000)
console.log(`Listening on ${await app.getUrl()}`)
