import assert from 'node:assert/strict'
import { readPage, readTables } from './markdown.js'

/** The rows of the tables whose first column has this heading. */
function readRows(file: string, heading: string): (readonly string[])[] {
  return readTables(readPage(file))
    .filter(([head]) => head?.[0] === heading)
    .flatMap((table) => table.slice(1))
}

/** `3.0 s` is `3 s` in the pages. */
const roundSeconds = (time: string) => time.replace(/^\d+\.\d+/, (seconds) => `${+seconds}`)

describe('the figures of the documentation', () => {
  it('about days of traffic are those of bench/DAYS.md', () => {
    const days = readRows('bench/DAYS.md', 'page views/s').map((row) => ({
      pageViews: row[0],
      calls: row[9],
      median: roundSeconds(row[12] ?? ''),
      longest: roundSeconds(row[13] ?? ''),
    }))
    const rows = readRows('docs/delivery.md', 'traffic, three impressions a page view')
    assert.equal(rows.length, 4)
    for (const [traffic = '', calls, median = '', longest = ''] of rows) {
      const measured = days.find(
        (day) => day.calls === calls && day.pageViews === traffic.split(/[ ,]/)[0],
      )
      assert.ok(measured, traffic)
      assert.equal(median, measured.median)
      assert.equal(longest, measured.longest)
    }
  })
})
