#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { type Sandbox, startSandbox } from './sandbox.js'

const USAGE = `Usage: ad-impressions sandbox [--port N]

Starts the ENS and Closient ad networks on loopback, and a page that shows what
they receive. Nothing leaves this machine, and no account is needed.

  --port N   the page's port; ENS takes N + 1 and Closient N + 2 (default: 4600)
             0 takes any three that are free
  --help     this text
`

const DEFAULT_PORT = 4600
const HIGHEST_PORT = 65_533

/** Wrong input: answered with the message and the usage, and exit status 2. */
class UsageError extends Error {}

async function main(args: string[]): Promise<void> {
  const asked = parse(args)
  if (asked === 'help') {
    process.stdout.write(USAGE)
    return
  }
  const sandbox = await startSandbox({ port: asked.port })
  const stopped = stopSignal()
  process.stdout.write(greeting(sandbox))
  await stopped
  const ens = sandbox.ens.totals.impressions
  const closient = sandbox.closient.totals.impressions
  await sandbox.close()
  process.stdout.write(`\nStopped. Counted ${ens} at ENS and ${closient} at Closient.\n`)
}

/** Resolves at Ctrl-C or SIGTERM. */
async function stopSignal(): Promise<void> {
  // Ctrl-C under npx arrives twice: from the terminal, and passed on by npm. A listener for one
  // signal alone would leave the second to end the process on the spot.
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve())
  })
  // Nor will Node's slow way out do, on which there are no listeners any more.
  process.once('beforeExit', () => process.exit())
}

function parse(args: string[]): 'help' | { port: number } {
  let parsed: ReturnType<typeof parseSandbox>
  try {
    parsed = parseSandbox(args)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  if (values.help) return 'help'
  const [command, ...more] = positionals
  if (command === undefined) throw new UsageError('which command?')
  if (command !== 'sandbox') throw new UsageError(`no command '${command}'`)
  if (more.length > 0) throw new UsageError(`'${more.join(' ')}' is one word too many`)
  const { port = `${DEFAULT_PORT}` } = values
  if (!/^\d{1,5}$/.test(port) || Number(port) > HIGHEST_PORT) {
    throw new UsageError(`--port: '${port}' is not a number from 0 to ${HIGHEST_PORT}`)
  }
  return { port: Number(port) }
}

function parseSandbox(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
}

// The keys are no secrets: they open nothing but this sandbox.
function greeting(sandbox: Sandbox): string {
  const lines = Object.entries(sandbox.env).map(([name, value]) => `  export ${name}=${value}`)
  return `Sandbox of ENS and Closient: ${sandbox.url}

Point your server at it:

${lines.join('\n')}

Ctrl-C stops it.
`
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`ad-impressions: ${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    process.stderr.write(`ad-impressions: ${error.message}\nAnother --port may be free.\n`)
    process.exitCode = 1
  } else {
    throw error
  }
}
