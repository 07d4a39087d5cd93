import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { startSandboxUnlessKeys } from './start-sandbox.js'

const ROOT = path.join(import.meta.dirname, '..')
const ENVIRONMENT = {
  ...process.env,
  ASTRO_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
}

/**
 * Installs, builds and starts a recipe: an example in a folder with a package.json and a lock of its
 * own, because its framework would weigh down `npm ci` of this repository. Its `main` is the server,
 * which gets the sandbox's keys in its environment.
 *
 * @param {string} folder
 * @param {readonly string[]} args the arguments of the server
 * @returns {Promise<number>} the server's exit code
 */
export async function runRecipe(folder, args) {
  installRecipe(folder)
  runNpm(folder, ['run', '--if-present', 'build'])

  const sandbox = await startSandboxUnlessKeys()
  const server = spawn(process.execPath, ['.', ...args], {
    cwd: folder,
    env: { ...ENVIRONMENT, ...sandbox?.env, NODE_ENV: 'production' },
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal))
  const [code] = await once(server, 'close')
  await sandbox?.close()
  return code ?? 1
}

/** Installs what the lock names, unless it is installed, and the package as it is built now. */
function installRecipe(folder) {
  const lock = path.join(folder, 'package-lock.json')
  const installedLock = path.join(folder, 'node_modules/.installed-lock.json')
  if (!existsSync(installedLock) || !readFileSync(lock).equals(readFileSync(installedLock))) {
    console.log(`Installing ${path.basename(folder)}, the first time only`)
    runNpm(folder, ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    copyFileSync(lock, installedLock)
  }
  for (const name of ['dist', 'package.json']) {
    const installed = path.join(folder, 'node_modules/ad-impressions', name)
    rmSync(installed, { recursive: true })
    cpSync(path.join(ROOT, name), installed, { recursive: true })
  }
}

function runNpm(folder, args) {
  const { status } = spawnSync('npm', args, { cwd: folder, env: ENVIRONMENT, stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${folder}`)
}
