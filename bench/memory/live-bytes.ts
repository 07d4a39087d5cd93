/** Bytes that are live on the heap and in external buffers. Needs `--expose-gc`. */
export function measureLiveBytes(): number {
  // The first collection finalizes objects, the second frees them.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
