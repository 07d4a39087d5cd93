const VARIABLES = ['ENS_API_KEY', 'ENS_BASE_URL', 'CLOSIENT_API_KEY', 'CLOSIENT_BASE_URL'] as const

export type Environment = Partial<Record<(typeof VARIABLES)[number], string>>

/** Runs `task` with no variable of the library's set but those given, and puts all back after. */
export function withEnvironment<Result>(environment: Environment, task: () => Result): Result {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const)
  for (const name of VARIABLES) put(name, environment[name])
  try {
    return task()
  } finally {
    for (const [name, value] of before) put(name, value)
  }
}

function put(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
