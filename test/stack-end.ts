const slots: undefined[] = []

/** Runs `task` below so many arguments of 8 bytes each. */
function runBelow(count: number, task: () => void): void {
  slots.length = count
  task.apply(undefined, slots as [])
}

/** How many slots of 8 bytes the stack has left for the caller. */
export function measureStack(): number {
  let most = 0
  let tooMany = 400_000
  while (tooMany - most > 1) {
    const middle = (most + tooMany) >> 1
    if (runNearStackEnd(middle, 0, () => {})) most = middle
    else tooMany = middle
  }
  return most
}

/**
 * Runs `task` where the stack has only so many slots of 8 bytes left. Call it at the same depth as
 * `measureStack`, and after `task` has run before: compiling it takes much more stack.
 *
 * @returns whether it returned, and did not overflow
 */
export function runNearStackEnd(measured: number, left: number, task: () => void): boolean {
  try {
    runBelow(measured - left, task)
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}
