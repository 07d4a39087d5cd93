import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** The root of this repository. */
export const ROOT = path.join(import.meta.dirname, '../..')

/** The package as it would be published. */
export interface Tarball {
  readonly file: string
  /** The paths of its files, relative to `package/`. */
  readonly paths: readonly string[]
}

let packed: Promise<Tarball> | undefined

/** Packs the output of `npm run build`, once for all tests. Does not build again. */
export function packTarball(): Promise<Tarball> {
  packed ??= pack()
  return packed
}

async function pack(): Promise<Tarball> {
  if (!existsSync(path.join(ROOT, 'dist'))) throw new Error('dist is missing: run npm run build')
  const folder = await createTemporaryFolder()
  const output = await run('npm', [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ])
  const [{ filename, files }] = JSON.parse(output) as [
    { filename: string; files: readonly { path: string }[] },
  ]
  return { file: path.join(folder, filename), paths: files.map((file) => file.path) }
}

/** Creates a folder that is removed when the process exits. */
export async function createTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ad-impressions-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Runs a command and waits until it exits.
 *
 * @returns its standard output
 * @throws with its complete output if it fails
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
