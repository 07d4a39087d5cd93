#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runDoctor } from './doctor/doctor.js'
import { readPackageManifest } from './doctor/package-manifest.js'
import { type Sandbox, startSandbox } from './sandbox.js'

const USAGE = `Usage: ad-impressions sandbox [--port N]
       ad-impressions doctor

sandbox starts the ENS and Closient ad networks on loopback, and a page that
shows what they receive. Nothing leaves this machine, and no account is needed.

  --port N   the port of the page; ENS uses N + 1 and Closient N + 2
             (default: 4600; 0 selects three free ports)

doctor checks what impressions need to arrive: versions, the networks that the
environment configures, their hosts, and the clock. It sends no impression and
no key. Run it in the directory and with the environment of your server. The
exit status is 0 if all is well, else 1.

  --version  show the version
  --help     show this text
`

const DEFAULT_PORT = 4600
const MAX_PORT = 65_533

/** Invalid arguments. The command prints the message and the usage, and exits with status 2. */
class UsageError extends Error {}

type Command =
  | { readonly name: 'help' | 'version' | 'doctor' }
  | { readonly name: 'sandbox'; readonly port: number }

async function runCommand(args: string[]): Promise<void> {
  const command = parseCommand(args)
  if (command.name === 'help') process.stdout.write(USAGE)
  else if (command.name === 'version') printLine(readPackageManifest().version)
  else if (command.name === 'sandbox') await runSandbox(command.port)
  else if (!(await runDoctor(readPackageManifest(), process.cwd(), printLine))) {
    process.exitCode = 1
  }
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function runSandbox(port: number): Promise<void> {
  const sandbox = await startSandbox({ port })
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

function parseCommand(args: string[]): Command {
  const { values, positionals } = parseArguments(args)
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const [name, ...others] = positionals
  if (name === undefined) throw new UsageError('missing command')
  if (name !== 'sandbox' && name !== 'doctor') throw new UsageError(`unknown command '${name}'`)
  if (others.length > 0) throw new UsageError(`unexpected argument '${others.join(' ')}'`)
  if (name === 'sandbox') return { name, port: parsePort(values.port) }
  if (values.port !== undefined) throw new UsageError('--port: only sandbox has it')
  return { name }
}

function parsePort(port = `${DEFAULT_PORT}`): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) > MAX_PORT) {
    throw new UsageError(`--port: '${port}' is not a number from 0 to ${MAX_PORT}`)
  }
  return Number(port)
}

function parseArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // Node.js adds advice on positional arguments, which this command does not have.
    throw new UsageError(message.replace(/\. To specify a positional argument.*$/s, ''))
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
    process.stderr.write(
      `ad-impressions: ${error.message}\nA sandbox may be running already. For a second one, choose another port with --port.\n`,
    )
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
