import { type Measured, measured } from './statistics.js'

/** What a part of the bench found. */
export interface Report {
  readonly title: string
  readonly tables: readonly Table[]
  readonly verdicts: readonly Verdict[]
}

export interface Table {
  /** One plain line: what is measured. */
  readonly about: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A line of the table of targets. */
export interface Verdict {
  readonly what: string
  readonly target: string
  readonly measured: string
  readonly isReached: boolean
}

export function markdownOf({ about, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [about, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export function markdownOfVerdicts(verdicts: readonly Verdict[]): string {
  return markdownOf({
    about: 'Medians of the rounds; a ratio is taken within each round.',
    head: ['what', 'target', 'measured', ''],
    rows: verdicts.map(({ what, target, measured, isReached }) => [
      what,
      target,
      measured,
      isReached ? 'reached' : '**not reached**',
    ]),
  })
}

/** A number in as few digits as tell. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–'
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 3) })
}

/** The median of the rounds, and the lowest and the highest of them. */
export function spread(rounds: readonly number[], digits = 3): string {
  if (rounds.length === 0) return '–'
  const { median, low, high }: Measured = measured(rounds)
  return `${number(median, digits)} (${number(low, digits)} … ${number(high, digits)})`
}
