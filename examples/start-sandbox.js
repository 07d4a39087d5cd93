import { startSandbox } from 'ad-impressions/sandbox'

/**
 * Starts both networks on loopback and sets their keys in the environment, so that an example runs
 * without an account. Does nothing if the environment has a key: impressions are then real.
 */
export async function startSandboxUnlessKeys() {
  if (process.env.ENS_API_KEY || process.env.CLOSIENT_API_KEY) return undefined
  const sandbox = await startSandbox()
  Object.assign(process.env, sandbox.env)
  console.log(`See the impressions in the sandbox: ${sandbox.url}`)
  return sandbox
}
