declare module 'polka' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Polka {
    use(middleware: (req: IncomingMessage, res: ServerResponse, next: () => void) => void): Polka
    get(path: string, handler: (req: IncomingMessage, res: ServerResponse) => void): Polka
    handler(req: IncomingMessage, res: ServerResponse): void
  }
  export default function polka(): Polka
}
