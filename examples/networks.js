import { startSandbox } from 'ad-impressions/sandbox'

/**
 * Where the environment has no key, starts both networks on loopback and sets theirs, so that an
 * example runs without an account. With a key of yours it does nothing: impressions are then real.
 */
export async function sandboxUnlessKeys() {
  if (process.env.ENS_API_KEY || process.env.CLOSIENT_API_KEY) return undefined
  const sandbox = await startSandbox()
  Object.assign(process.env, sandbox.env)
  console.log(`Impressions arrive at the sandbox: ${sandbox.url}`)
  return sandbox
}
