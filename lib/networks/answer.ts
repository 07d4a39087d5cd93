/** A network's answer to a call, as it came over the wire. */
export interface Answer {
  /** HTTP status code, 200 to 599. */
  readonly status: number
  /** Header values by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body's text: its first MiB, decoded, or what arrived before the connection broke. */
  readonly body: string
  /** When the status line and headers arrived, in milliseconds since the Unix epoch. */
  readonly atMs: number
}
