/** The page's style sheet, with a light and a dark color scheme. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f6f3, #121211);
  --card: light-dark(#ffffff, #1b1b1a);
  --line: light-dark(#e3e2dc, #32312e);
  --ink: light-dark(#1a1a18, #f1f0ec);
  --soft: light-dark(#5f5e58, #a9a8a0);
  --ens: light-dark(#2a78d6, #5a9ee8);
  --closient: light-dark(#c9541f, #e8834f);
  --third: light-dark(#7a4bb8, #b692e6);
  --fourth: light-dark(#0f7f7a, #4fbdb5);
  --good: light-dark(#2f7d4f, #63b888);
  --bad: light-dark(#b3302c, #ef8a85);
  --wash: light-dark(#f0efea, #262523);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Cantarell, sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header.top { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
header.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 20px; padding-top: 28px; padding-bottom: 18px; }
h1 { font-size: 21px; line-height: 1.25; font-weight: 650; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 17px; font-weight: 650; margin: 0; }
h3 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 22px 0 8px; }
p { margin: 0; }
.soft { color: var(--soft); }
.top .state { margin-left: auto; display: flex; align-items: center; gap: 8px; color: var(--soft); }
.dot { width: 8px; height: 8px; border-radius: 50%; background: var(--soft); flex: none; }
.live .dot { background: var(--good); }
.lost { color: var(--bad); }
.lost .dot { background: var(--bad); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px 20px; min-width: 0; container-type: inline-size; }
.halves { display: grid; gap: 0 32px; }
.halves:has(.budget) { grid-template-columns: 3fr 2fr; }
.foot { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; justify-content: space-between; margin: 0 0 40px; font-size: 14px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 18px; margin: 18px 0; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 14px; }
.head code { margin-left: auto; }
code { font: 13px/1.5 ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace; color: var(--soft); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; }
[data-series] { --series: var(--soft); }
[data-series='0'] { --series: var(--ens); }
[data-series='1'] { --series: var(--closient); }
[data-series='2'] { --series: var(--third); }
[data-series='3'] { --series: var(--fourth); }
.failures { --series: var(--bad); }
.swatch { background: var(--series); }

.plot .head { margin-bottom: 10px; }
.legend { display: flex; gap: 22px; margin: 0 0 0 auto; padding: 0; list-style: none; align-items: baseline; }
.legend li { white-space: nowrap; }
.legend b { font-weight: 600; display: inline-block; min-width: 3ch; text-align: right; }
#when { min-width: 7em; text-align: right; }
svg { display: block; width: 100%; height: 190px; overflow: visible; touch-action: pan-y; }
svg text { font-size: 12px; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .area { fill: var(--series); opacity: 0.1; }
svg .curve { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .failure { fill: var(--bad); opacity: 0.75; }
svg .cross { stroke: var(--soft); stroke-width: 1; }
svg circle { fill: var(--series); stroke: var(--card); stroke-width: 2; }

.figures { display: flex; flex-wrap: wrap; gap: 8px 36px; margin: 14px 0 0; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 0; font-size: 26px; line-height: 1.2; font-weight: 600; letter-spacing: -0.015em; }
.figures .some { color: var(--bad); }

.budget { display: grid; gap: 10px; align-content: start; }
.window { display: grid; grid-template-columns: 1fr auto; gap: 4px 12px; }
.bar { grid-column: 1 / -1; height: 6px; border-radius: 3px; background: var(--wash); overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 3px; background: var(--series); }
.window.spent .bar i { background: var(--bad); }

.buttons { position: relative; display: flex; flex-wrap: wrap; gap: 8px; }
.tip {
  display: block; position: absolute; left: 0; z-index: 1; width: fit-content; max-width: min(100%, 420px); margin-top: 6px; padding: 8px 12px;
  border-radius: 7px; background: var(--ink); color: var(--paper); font-size: 13px; line-height: 1.45;
  visibility: hidden; pointer-events: none;
}
.fault:has(button:focus-visible) .tip { visibility: visible; }
@media (hover: hover) { .fault:hover .tip { visibility: visible; transition: visibility 0s 0.35s; } }
@media (hover: none) { .fault:focus-within .tip { visibility: visible; } }
.no-tips .tip { visibility: hidden !important; }
.explained { margin-top: 10px; font-size: 13px; color: var(--soft); }
.explained summary { width: fit-content; cursor: pointer; }
.explained dl { margin: 8px 0 0; }
.explained dt { color: var(--ink); font-weight: 600; }
.explained dd { margin: 0 0 8px; }
button {
  font: inherit; font-size: 14px; color: var(--ink); background: var(--card);
  border: 1px solid var(--line); border-radius: 7px; padding: 4px 12px; cursor: pointer;
}
button:hover { background: var(--wash); }
button:focus-visible { outline: 2px solid var(--series, var(--ens)); outline-offset: 2px; }
button[aria-pressed=true] { color: var(--bad); border-color: currentColor; }
button[aria-pressed=true]::before { content: '● '; font-size: 10px; vertical-align: 1px; }
.set { margin: 10px 0 0; padding: 0; list-style: none; font-size: 13px; color: var(--soft); min-height: 20px; overflow-wrap: anywhere; }

.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--soft); }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.text { max-width: 210px; }
td.id { max-width: 122px; }
td.text, td.id { overflow: hidden; text-overflow: ellipsis; }
td.id { font-family: ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace; font-size: 13px; }
.number { text-align: right; }
th:last-child, td:last-child { padding-right: 0; }
.end.bad { color: var(--bad); }
td.open { text-align: right; }
button.open { padding: 1px 9px; font-size: 13px; }
.call-list { table-layout: fixed; }
.call-list td { vertical-align: top; }
.call-list .text { max-width: none; white-space: normal; overflow-wrap: anywhere; }
.call-list .end { white-space: normal; width: 104px; }
.call-list .time { width: 78px; }
.call-list th.open { width: 64px; }

dialog { width: min(760px, calc(100vw - 28px)); max-height: calc(100vh - 28px); padding: 18px 20px 20px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); color: var(--ink); }
dialog::backdrop { background: rgb(0 0 0 / 0.45); }
dialog .close { margin-left: auto; }
dialog .line { overflow-wrap: anywhere; }
pre { margin: 0; padding: 10px 12px; border-radius: 7px; background: var(--wash); font: 13px/1.5 ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace; white-space: pre-wrap; overflow-wrap: anywhere; }

.ends td { padding: 3px 12px 3px 0; white-space: normal; }
.ends td:last-child { padding-right: 0; }
.ends tr:first-child td { padding-top: 0; }
.ends tr:last-child td { border-bottom: 0; }
.none { color: var(--soft); white-space: normal; border-bottom: 0; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (max-width: 430px) {
  .halves:has(.budget) { grid-template-columns: 1fr; }
  table { font-size: 13px; }
  th { font-size: 12px; }
  th, td { padding-right: 4px; vertical-align: top; }
  td.id { max-width: 76px; font-size: 12px; }
  th.text, td.text { max-width: none; white-space: normal; }
  td.text { overflow-wrap: anywhere; }
  .call-list .end { width: 76px; }
  .call-list .time { width: 68px; }
  .call-list th.open { width: 56px; }
}
@media (max-width: 560px) {
  main, header.top { padding-left: 14px; padding-right: 14px; }
  .card { padding: 14px 14px 16px; }
  .legend { margin-left: 0; gap: 2px 14px; flex-wrap: wrap; }
  .figures { gap: 8px 24px; }
  .figures dd { font-size: 22px; }
}
@media (prefers-reduced-motion: no-preference) {
  tr.new td { animation: arrive 1.6s ease-out; }
  @keyframes arrive { from { background: color-mix(in srgb, var(--series) 16%, transparent); } }
}
`
