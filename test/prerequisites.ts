import { accessSync, constants } from 'node:fs'
import path from 'node:path'

/** Programs that tests start, by their Debian package, with the variable that overrides the path. */
const PROGRAMS = {
  chromium: 'CHROMIUM_PATH',
  'redis-server': 'REDIS_SERVER_PATH',
  'valkey-server': 'VALKEY_SERVER_PATH',
} as const

/**
 * Finds a program: at the path in its environment variable, else on the `PATH`. A missing program
 * fails the test, because skipping it would hide that nothing was tested.
 *
 * @throws if the program is missing; the message says how to install it
 */
export function findProgram(program: keyof typeof PROGRAMS, environment = process.env): string {
  const variable = PROGRAMS[program]
  const override = environment[variable]
  const folders = (environment.PATH ?? '').split(path.delimiter)
  const candidates = override ? [override] : folders.map((folder) => path.join(folder, program))
  const found = candidates.find(isExecutable)
  if (found) return found
  throw new Error(
    `no ${program} ${override ? `at ${override}` : 'on the PATH'}: ` +
      `install it (apt-get install ${program}), or set ${variable}`,
  )
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
