import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** This repository. */
export const ROOT = path.join(import.meta.dirname, '../..')

/** The package as it would be published. */
export interface Tarball {
  readonly file: string
  /** The paths in it, below `package/`. */
  readonly paths: readonly string[]
}

let packed: Promise<Tarball> | undefined

/** Packs what `npm run build` has made, once for all tests; the build does not run again. */
export function packTarball(): Promise<Tarball> {
  packed ??= pack()
  return packed
}

async function pack(): Promise<Tarball> {
  if (!existsSync(path.join(ROOT, 'dist'))) throw new Error('no dist: npm run build makes it')
  const folder = await temporaryFolder()
  const said = await run('npm', [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ])
  const [{ filename, files }] = JSON.parse(said) as [
    { filename: string; files: readonly { path: string }[] },
  ]
  return { file: path.join(folder, filename), paths: files.map((file) => file.path) }
}

/** A new folder, gone when the tests have run. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ad-impressions-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Runs a command to its end.
 *
 * @returns what it printed
 * @throws with all that it printed, if it fails
 */
export async function run(command: string, args: readonly string[], cwd = ROOT): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, encoding: 'utf8' })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}`, {
      cause: error,
    })
  }
}
