import { builtInNetworks } from '../../lib/networks/built-in-networks.js'
import { apiKeyVariable, baseUrlVariable } from '../../lib/networks/built-in-options.js'

const VARIABLES = [
  ...Object.keys(builtInNetworks).flatMap((name) => [apiKeyVariable(name), baseUrlVariable(name)]),
  ...['NODE_USE_ENV_PROXY', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'],
]

/** Values of the library's environment variables. */
export type Environment = Readonly<Record<string, string>>

/** Runs `task` with only these of the library's environment variables set, then restores them. */
export function withEnvironment<Result>(environment: Environment, task: () => Result): Result {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const)
  for (const name of VARIABLES) setVariable(name, environment[name])
  try {
    return task()
  } finally {
    for (const [name, value] of before) setVariable(name, value)
  }
}

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
