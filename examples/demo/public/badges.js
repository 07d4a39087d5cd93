// Shows on each ad what the server has counted. The server calls the networks; this script only
// listens to the outcomes of its page load.

const { pageLoad } = document.currentScript.dataset
const badges = new Map(
  [...document.querySelectorAll('.badge')].map((badge) => [badge.dataset.ad, badge]),
)
let stream

function showOutcome({ ad, state, label, why, reason }) {
  const badge = badges.get(ad)
  if (!badge) return
  badge.dataset.state = state
  badge.title = reason
  badge.querySelector('.label').textContent = label
  badge.querySelector('.why').textContent = why
}

function summarize() {
  const counts = new Map()
  for (const badge of badges.values()) {
    const label = badge.querySelector('.label').textContent
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }
  const texts = [...counts].map(([label, count]) => `${count} ${label}`)
  document.querySelector('.summary').textContent = `On this page: ${texts.join(', ')}.`
}

function isComplete() {
  return [...badges.values()].every(({ dataset: { state } }) => !/pending|waiting/.test(state))
}

// A browser opens few connections to a server, so a page holds one only while it needs it.
function listen() {
  stream?.close()
  if (document.hidden || isComplete()) return
  stream = new EventSource(`/outcomes/${pageLoad}`)
  stream.addEventListener('message', ({ data }) => {
    showOutcome(JSON.parse(data))
    summarize()
    if (isComplete()) stream.close()
  })
}

summarize()
listen()
document.addEventListener('visibilitychange', listen)
