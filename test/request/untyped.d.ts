declare module 'cookie-session' {
  export default function cookieSession(options: {
    signed: boolean
  }): import('express').RequestHandler
}

declare module 'express-request-id' {
  export default function requestID(): import('express').RequestHandler
}
