import { summarizeRounds } from './statistics.js'

/** The result of one part of the benchmark. */
export interface BenchReport {
  readonly title: string
  readonly tables: readonly ReportTable[]
  readonly targets: readonly TargetResult[]
}

export interface ReportTable {
  /** One paragraph that explains what was measured. */
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** One row of the table of targets. */
export interface TargetResult {
  readonly subject: string
  readonly target: string
  readonly measured: string
  readonly isReached: boolean
}

/** Renders a Markdown table, without a caption. */
export function renderRows(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const renderRow = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [columns, columns.map(() => '---'), ...rows].map(renderRow).join('\n')
}

function renderTable({ caption, columns, rows }: ReportTable): string {
  return `${caption}\n\n${renderRows(columns, rows)}`
}

export function renderReport({ title, tables }: BenchReport): string {
  return `## ${title}\n\n${tables.map(renderTable).join('\n\n')}\n`
}

export function renderTargets(targets: readonly TargetResult[]): string {
  const table = renderTable({
    caption: 'Medians of all rounds. Ratios and differences are computed within each round.',
    columns: ['subject', 'target', 'measured', ''],
    rows: targets.map(({ subject, target, measured, isReached }) => [
      subject,
      target,
      measured,
      isReached ? 'reached' : '**not reached**',
    ]),
  })
  return `## Targets\n\n${table}`
}

/** @param digits how many significant digits, with at most three decimals */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–'
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 3) })
}

/** Formats a count with all its digits. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

/** Formats the median of the rounds, and the lowest and highest of them in parentheses. */
export function formatRounds(rounds: readonly number[], digits = 3): string {
  if (rounds.length === 0) return '–'
  const { median, lowest, highest } = summarizeRounds(rounds)
  const range = `${formatNumber(lowest, digits)} … ${formatNumber(highest, digits)}`
  return `${formatNumber(median, digits)} (${range})`
}
