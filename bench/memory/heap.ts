/** Bytes that live on the heap and in the buffers beside it. */
export function liveBytes(): number {
  // What the first collection finalises, the second frees.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
