import assert from 'node:assert/strict'
import { Misuse } from '../../lib/misuse.js'
import { ReportWatch } from '../../lib/visibility/report-watch.js'

const MINUTE_MS = 60_000

function createWatch() {
  const lines: string[] = []
  const log = { debug: undefined, warn: (_: string, line: string) => lines.push(line), error() {} }
  let nowMs = 0
  const watch = new ReportWatch({ now: () => nowMs }, new Misuse(log))
  /** Issues tokens, evenly over so many minutes. */
  const issue = (tokens: number, minutes: number) => {
    for (let n = 0; n < tokens; n += 1) {
      watch.onIssued()
      nowMs += (minutes * MINUTE_MS) / tokens
    }
  }
  return { watch, issue, codes: () => lines.map((line) => line.split(':')[0]) }
}

describe('the watch over reports', () => {
  it('warns once if no browser requests the client script', () => {
    const { issue, codes } = createWatch()
    issue(100, 10)
    assert.deepEqual(codes(), ['script-not-loaded'])
  })

  it('warns once if browsers load the client script and no report arrives', () => {
    const { watch, issue, codes } = createWatch()
    watch.onScriptServed()
    issue(100, 10)
    assert.deepEqual(codes(), ['no-report'])
  })

  it('does not warn once a report has arrived', () => {
    const { watch, issue, codes } = createWatch()
    issue(100, 4)
    watch.onReport()
    issue(100, 100)
    assert.deepEqual(codes(), [])
  })

  it('does not warn after few tokens or few minutes', () => {
    const few = createWatch()
    few.issue(19, 100)
    assert.deepEqual(few.codes(), [])
    const soon = createWatch()
    soon.issue(10_000, 5)
    assert.deepEqual(soon.codes(), [])
  })
})
