/** An RFC 9457 problem as Closient sends it. */
export interface ClosientProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly error_code: string
  readonly retryable: boolean
  /** ISO 8601 in whole seconds with a numeric offset, as in Closient's documentation. */
  readonly timestamp: string
}

/** @param detail replaces the default text for the status */
export function buildClosientProblem(
  status: number,
  nowMs: number,
  detail?: string,
): ClosientProblem {
  const text = PROBLEM_TEXTS[status] ?? (status < 500 ? OTHER_CLIENT_ERROR : OTHER_SERVER_ERROR)
  return {
    type: `https://closient.com/docs/errors/${text.code}`,
    title: text.title,
    status,
    detail: detail ?? text.detail,
    error_code: text.code,
    retryable: text.retryable ?? false,
    timestamp: new Date(nowMs).toISOString().replace(/\.\d+Z$/, '+00:00'),
  }
}

interface ProblemText {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly retryable?: boolean
}

const OTHER_CLIENT_ERROR: ProblemText = {
  code: 'bad_request',
  title: 'Bad Request',
  detail: 'The request was refused.',
}
const OTHER_SERVER_ERROR: ProblemText = {
  code: 'internal_error',
  title: 'Internal Server Error',
  detail: 'An internal error occurred.',
  retryable: true,
}

// Closient documents the codes of 401, 403, 404, 422, 429 and 500 (https://docs.closient.com). The
// others follow the same pattern.
const PROBLEM_TEXTS: Record<number, ProblemText> = {
  401: {
    code: 'unauthorized',
    title: 'Unauthorized',
    detail: 'The API key is missing or invalid.',
  },
  403: {
    code: 'forbidden',
    title: 'Forbidden',
    detail: 'The API key is not allowed to record impressions.',
  },
  404: {
    code: 'not_found',
    title: 'Not Found',
    detail: 'The requested resource was not found.',
  },
  405: {
    code: 'method_not_allowed',
    title: 'Method Not Allowed',
    detail: 'This resource answers POST only.',
  },
  408: {
    code: 'request_timeout',
    title: 'Request Timeout',
    detail: 'The request took too long.',
    retryable: true,
  },
  413: {
    code: 'payload_too_large',
    title: 'Content Too Large',
    detail: 'The request body is too large.',
  },
  415: {
    code: 'unsupported_media_type',
    title: 'Unsupported Media Type',
    detail: 'The request body must be application/json.',
  },
  422: {
    code: 'validation_error',
    title: 'Unprocessable Content',
    detail: 'The request body is not valid.',
  },
  429: {
    code: 'rate_limited',
    title: 'Too Many Requests',
    detail: 'The rate limit of this API key is exhausted.',
    retryable: true,
  },
  500: OTHER_SERVER_ERROR,
  503: {
    code: 'service_unavailable',
    title: 'Service Unavailable',
    detail: 'The service is temporarily unavailable.',
    retryable: true,
  },
}
