/** The style sheet of the inspector's page, with a light and a dark color scheme. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f6f3, #121211);
  --card: light-dark(#ffffff, #1b1b1a);
  --line: light-dark(#e3e2dc, #32312e);
  --ink: light-dark(#1a1a18, #f1f0ec);
  --soft: light-dark(#5f5e58, #a9a8a0);
  --focus: light-dark(#2a5fc4, #7aa7f5);
  --delivered: light-dark(#2a7448, #63b888);
  --duplicate: light-dark(#2f6fb5, #79aee8);
  --suppressed: light-dark(#6a6962, #a3a29a);
  --invalid: light-dark(#8a6000, #dcb04a);
  --rejected: light-dark(#b3302c, #ef8a85);
  --uncertain: light-dark(#7747b4, #bb9aea);
  --dropped: light-dark(#a53a74, #e88fbd);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Cantarell, sans-serif;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
header, main { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 18px; padding-top: 24px; }
h1 { font-size: 21px; line-height: 1.25; font-weight: 650; margin: 0; }
h2 { font-size: 17px; font-weight: 650; margin: 26px 0 10px; }
h3 { font-size: 15px; font-weight: 600; margin: 0; }
p { margin: 0; }
.soft { color: var(--soft); }
.end { margin-left: auto; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px 16px; min-width: 0; }
.dot { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 8px; background: var(--soft); }
.live .dot { background: var(--delivered); }
.lost { color: var(--rejected); }
.lost .dot { background: var(--rejected); }
button { font: inherit; font-size: 14px; color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: 7px; padding: 3px 12px; cursor: pointer; }
label { font-size: 14px; padding-bottom: 6px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.row { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 14px; }

#networks { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 14px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 14px; margin: 8px 0 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; }
meter { display: block; width: 100%; height: 12px; }

.state { font-weight: 600; white-space: nowrap; }
.ok, .delivered { color: var(--delivered); }
.duplicate { color: var(--duplicate); }
.suppressed { color: var(--suppressed); }
.degraded, .invalid { color: var(--invalid); }
.down, .rejected { color: var(--rejected); }
.uncertain { color: var(--uncertain); }
.dropped { color: var(--dropped); }

svg { display: block; width: 100%; height: 170px; }
svg text { font-size: 12px; fill: var(--soft); }
svg line { stroke: var(--line); }
svg rect { fill: currentColor; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 14px; }
.legend li::before { content: ''; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; background: currentColor; }

article { margin-bottom: 14px; }
table { width: 100%; border-collapse: collapse; margin-top: 6px; font-size: 14px; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--soft); }
th, td { padding: 5px 10px 5px 0; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; }
th.what { width: 27%; color: inherit; font-size: inherit; }
th.step, td.step { width: 62px; text-align: center; }
.mark { font-weight: 700; }
.mark.passed { color: var(--delivered); }
.mark.stopped { color: var(--rejected); }
.mark.waiting { color: var(--duplicate); }
.mark.unclear { color: var(--uncertain); }
body.hides-delivered tr.is-delivered, body.hides-delivered article.is-delivered { display: none; }
footer { padding: 8px 0 32px; font-size: 14px; }

@media (max-width: 720px) {
  header, main { padding-left: 12px; padding-right: 12px; }
  .card { padding: 12px 12px 14px; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tbody tr { display: grid; grid-template-columns: repeat(5, 1fr); padding: 8px 0; border-top: 1px solid var(--line); }
  tbody th, tbody td { padding: 2px 0; border: 0; }
  tbody th.what, tbody td.end-of-way { grid-column: 1 / -1; width: auto; }
  tbody td.step { width: auto; }
  tbody td.step::before { content: attr(data-step) / ''; display: block; font-size: 12px; color: var(--soft); }
}
`
