import type { z } from 'zod'

/** Whether a `Content-Type` is JSON, with or without parameters. */
export function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}

/** Whether a parsed JSON value is an object (not an array). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names the type of a wrong value for an error message, without its content, which may be huge. */
export function describeType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The parsed JSON, or the text if it is not JSON. `undefined` if it is empty. */
export function parseJsonOrText(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Names each wrong field and what it should be. `root` names the value itself. */
export function describeProblems(error: z.ZodError, root: string): string {
  return error.issues
    .map((issue) => {
      // What is wrong with the name of a record's entry is in an issue of its own.
      const [inner] = issue.code === 'invalid_key' ? issue.issues : []
      return `${issue.path.join('.') || root}: ${inner?.message ?? issue.message}`
    })
    .join('; ')
}
