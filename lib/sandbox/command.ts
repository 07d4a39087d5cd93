#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { type Sandbox, startSandbox } from './sandbox.js'

const USAGE = `Usage: ad-impressions sandbox [--port N]

Starts the ENS and Closient ad networks on loopback, and a page that shows what
they receive. Nothing leaves this machine, and no account is needed.

  --port N   the port of the page; ENS uses N + 1 and Closient N + 2
             (default: 4600; 0 selects three free ports)
  --help     show this text
`

const DEFAULT_PORT = 4600
const MAX_PORT = 65_533

/** Invalid arguments. The command prints the message and the usage, and exits with status 2. */
class UsageError extends Error {}

async function runCommand(args: string[]): Promise<void> {
  const command = parseCommand(args)
  if (command === 'help') {
    process.stdout.write(USAGE)
    return
  }
  const sandbox = await startSandbox({ port: command.port })
  const stopped = waitForStopSignal()
  process.stdout.write(formatGreeting(sandbox))
  await stopped
  const ens = sandbox.ens.totals.impressions
  const closient = sandbox.closient.totals.impressions
  await sandbox.close()
  process.stdout.write(`\nStopped. Impressions counted: ENS ${ens}, Closient ${closient}.\n`)
}

/** Resolves on Ctrl-C (SIGINT) or SIGTERM. */
async function waitForStopSignal(): Promise<void> {
  // Under npx, Ctrl-C arrives twice: from the terminal, and forwarded by npm. The listeners stay
  // in place, because the second signal would end the process at once without them.
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve())
  })
  // Node removes signal listeners during its normal exit. Exit before a second signal can arrive.
  process.once('beforeExit', () => process.exit())
}

function parseCommand(args: string[]): 'help' | { port: number } {
  const { values, positionals } = parseArguments(args)
  if (values.help) return 'help'
  const [command, ...others] = positionals
  if (command === undefined) throw new UsageError('missing command')
  if (command !== 'sandbox') throw new UsageError(`unknown command '${command}'`)
  if (others.length > 0) throw new UsageError(`unexpected argument '${others.join(' ')}'`)
  const { port = `${DEFAULT_PORT}` } = values
  if (!/^\d{1,5}$/.test(port) || Number(port) > MAX_PORT) {
    throw new UsageError(`--port: '${port}' is not a number from 0 to ${MAX_PORT}`)
  }
  return { port: Number(port) }
}

function parseArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

// It is safe to print the keys: they are only valid in this sandbox.
function formatGreeting(sandbox: Sandbox): string {
  const lines = Object.entries(sandbox.env).map(([name, value]) => `  export ${name}=${value}`)
  return `The ENS and Closient sandbox is running at ${sandbox.url}

Point your server at it:

${lines.join('\n')}

Press Ctrl-C to stop.
`
}

function reportError(error: unknown): void {
  if (error instanceof UsageError) {
    process.stderr.write(`ad-impressions: ${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    process.stderr.write(`ad-impressions: ${error.message}\nChoose another port with --port.\n`)
    process.exitCode = 1
  } else {
    throw error
  }
}

try {
  await runCommand(process.argv.slice(2))
} catch (error) {
  reportError(error)
}
