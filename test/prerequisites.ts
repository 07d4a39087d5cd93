import { accessSync, constants } from 'node:fs'
import path from 'node:path'

/** Programs that tests start, by Debian's name of them, each with what names another copy. */
const PROGRAMS = {
  chromium: 'CHROMIUM_PATH',
  'redis-server': 'REDIS_SERVER_PATH',
} as const

/**
 * Where a program is: where its environment variable says, else on the `PATH`. Where it is not, the
 * test fails: what a browser or a server does is not shown by skipping it.
 *
 * @throws in one line that says how to get it
 */
export function pathOf(program: keyof typeof PROGRAMS, environment = process.env): string {
  const variable = PROGRAMS[program]
  const named = environment[variable]
  const folders = (environment.PATH ?? '').split(path.delimiter)
  const places = named ? [named] : folders.map((folder) => path.join(folder, program))
  const found = places.find(isExecutable)
  if (found) return found
  throw new Error(
    `no ${program} ${named ? `at ${named}` : 'on the PATH'}: ` +
      `install it (apt-get install ${program}), or name it in ${variable}`,
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
