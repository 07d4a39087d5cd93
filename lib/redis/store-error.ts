const MAX_LENGTH = 300

/**
 * What Redis or its client said, in a new error: the client's error may hold the command with the
 * impressions, and connection errors may name a URL with a password.
 */
export function toStoreError(error: unknown): Error {
  const [line = ''] = describe(error).split('\n')
  const text = line.replace(/:\/\/\S*@/g, '://[redacted]@').slice(0, MAX_LENGTH)
  return new Error(`Redis: ${text}`)
}

function describe(error: unknown): string {
  // A host name with several addresses: Node's own error has no message.
  if (error instanceof AggregateError && error.message === '') return describe(error.errors[0])
  return error instanceof Error ? error.message || error.name : 'failed'
}
