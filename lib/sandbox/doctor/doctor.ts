import { checkNetworks } from './check-networks.js'
import { checkVersions } from './check-versions.js'
import type { Finding } from './finding.js'
import type { PackageManifest } from './package-manifest.js'

const LABELS: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok      ',
  note: 'note    ',
  problem: 'PROBLEM ',
}

/**
 * Checks what impressions need to arrive, and prints a line for each check. It sends neither an
 * impression nor a key.
 *
 * @param directory the app's, where its frameworks are installed
 * @returns whether all is well
 */
export async function runDoctor(
  manifest: PackageManifest,
  directory: string,
  print: (line: string) => void,
): Promise<boolean> {
  const findings = [...checkVersions(manifest, directory), ...(await checkNetworks())]
  for (const { level, text } of findings) print(`${LABELS[level]}${text}`)
  const problems = findings.filter(({ level }) => level === 'problem').length
  print('')
  print(problems === 0 ? 'All is well.' : `Problems found: ${problems}.`)
  return problems === 0
}
