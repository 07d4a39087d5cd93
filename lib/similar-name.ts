/** Longer names are not compared, because clients may choose them. */
const MAX_CHARACTERS = 40
const MAX_EDITS = 2

/** ` (did you mean placement?)`, if `name` looks like a misspelling of a known name; else empty. */
export function suggestName(name: string, known: readonly string[]): string {
  const similar = findSimilarName(name, known)
  return similar === undefined ? '' : ` (did you mean ${similar}?)`
}

/**
 * The known name that `name` is closest to: at most two edits away, and less than half of the name.
 * Case, hyphens and underscores do not matter.
 */
function findSimilarName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_CHARACTERS) return undefined
  const plain = simplify(name)
  const [closest] = known
    .map((candidate) => {
      const other = simplify(candidate)
      const edits = countEdits(plain, other)
      return { candidate, edits, isSimilar: edits * 2 < Math.max(plain.length, other.length) }
    })
    .filter(({ edits, isSimilar }) => isSimilar && edits <= MAX_EDITS)
    .toSorted((a, b) => a.edits - b.edits)
  return closest?.candidate
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function countEdits(from: string, to: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1]
      const isSwap = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(
        (row[j - 1] ?? 0) + 1,
        (last?.[j] ?? 0) + 1,
        (last?.[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = row
  }
  return last?.at(-1) ?? 0
}
