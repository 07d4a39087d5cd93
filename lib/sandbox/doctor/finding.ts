/** One line of the doctor's report. */
export interface Finding {
  /** `note` is worth knowing, and may be as intended. */
  readonly level: 'ok' | 'note' | 'problem'
  /** What was found, and what to do about a problem. It never contains a key. */
  readonly text: string
}
