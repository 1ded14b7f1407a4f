"""The style sheet of the page: light and dark, narrow and wide, screen and paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #f6f5f1; --card: #ffffff; --ink: #1c1e21; --muted: #5b6068; --line: #dddad2;
  --soft: #efede6;
  --arrived: #b9c2cc; --delivered: #14756b; --server: #4a5fc1; --browser: #a9b4ea;
  --attributed: #8a3f8f; --reported: #c0476d; --spend: #b07a12;
  --critical: #b3201d; --high: #a94a08; --medium: #7d6204; --low: #2f6592; --info: #5b6068;
  --good: #1d7044;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1d2025; --ink: #e9e8e4; --muted: #a3a8b0; --line: #353a42;
    --soft: #262a31;
    --arrived: #565f6b; --delivered: #3fb5a7; --server: #8b9cf2; --browser: #4c5897;
    --attributed: #cd8bd2; --reported: #ee86a6; --spend: #e0b050;
    --critical: #ff8a80; --high: #ffa668; --medium: #e3c25c; --low: #86bdea; --info: #a3a8b0;
    --good: #6fcf97;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans",
    sans-serif;
}
main, header.top, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header.top { padding-top: 32px; }
footer { padding-bottom: 48px; color: var(--muted); font-size: 14px; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h1 { font-size: 28px; letter-spacing: -0.01em; }
h2 { font-size: 26px; letter-spacing: -0.01em; }
h3 { font-size: 20px; margin: 40px 0 4px; }
h4 { font-size: 16px; }
p { margin: 6px 0; max-width: 84ch; }
p.small { max-width: 104ch; }
.muted { color: var(--muted); }
.small { font-size: 14px; }
.account { padding-top: 28px; }
.account + .account { border-top: 2px solid var(--line); margin-top: 48px; }
.verdict {
  margin: 20px 0 0; padding: 18px 20px; border-radius: 10px; background: var(--card);
  border: 1px solid var(--line); border-left: 8px solid var(--tone);
}
.verdict p { font-size: 20px; line-height: 1.35; font-weight: 600; margin: 0; }
.verdict .word { color: var(--tone); }
.partial {
  margin: 12px 0 0; padding: 14px 20px; border-radius: 10px; border: 2px dashed var(--high);
  background: var(--card);
}
.partial strong { color: var(--high); }
.partial ul { margin: 4px 0 0; padding-left: 20px; }
.yes { --tone: var(--good); } .mostly { --tone: var(--medium); } .doubtful { --tone: var(--high); }
.no { --tone: var(--critical); } .unknown { --tone: var(--muted); }
.critical { --tone: var(--critical); } .high { --tone: var(--high); }
.medium { --tone: var(--medium); } .low { --tone: var(--low); } .info { --tone: var(--info); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px;
  margin: 16px 0 0; padding: 0;
}
.tile {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
}
.tile dt { color: var(--muted); font-size: 14px; }
.tile dd { margin: 0; }
.tile dd.big {
  font-size: 26px; font-weight: 650; letter-spacing: -0.01em; font-variant-numeric: tabular-nums;
}
.tile dd.note { font-size: 13px; color: var(--muted); }
.cards {
  display: grid; gap: 14px; margin-top: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr));
}
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px 18px; min-width: 0; margin: 0;
}
.card > figcaption, .card > h4 { font-weight: 650; margin-bottom: 2px; overflow-wrap: anywhere; }
.wide { grid-column: 1 / -1; }
svg { display: block; width: 100%; height: auto; font: inherit; }
svg text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
svg .note { fill: var(--muted); font-size: 11px; }
svg .strong { font-weight: 650; }
svg .end { text-anchor: end; } svg .mid { text-anchor: middle; }
svg .axis { stroke: var(--line); stroke-width: 1; fill: none; }
svg .track { fill: var(--soft); }
svg .young { fill: var(--soft); }
.arrived { fill: var(--arrived); } .delivered { fill: var(--delivered); }
.server { fill: var(--server); } .browser { fill: var(--browser); }
.attributed { fill: var(--attributed); } .reported { fill: var(--reported); }
.spend { fill: var(--spend); }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .halo { fill: none; stroke: var(--card); stroke-width: 5; stroke-linejoin: round; }
svg .curve.server { stroke: var(--server); }
svg .curve.platform { stroke: var(--reported); }
svg .curve.verified { stroke: var(--server); stroke-dasharray: 6 3; }
svg .curve.blended { stroke: var(--delivered); stroke-dasharray: 2 3; }
.platform { fill: var(--reported); } .verified { fill: var(--server); }
.blended { fill: var(--delivered); }
svg .tone { fill: var(--tone); } svg .line { stroke: var(--tone); stroke-width: 2; }
svg .onbar { fill: var(--card); font-size: 10px; }
svg .silent rect { opacity: 0.45; }
svg .silent text { fill: var(--muted); }
svg .change { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
svg .flag { fill: var(--ink); } svg .onflag { fill: var(--card); font-size: 10px; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible {
  outline: 2px solid var(--server); outline-offset: 2px;
}
.scroll > svg { min-width: 640px; }
.findings { list-style: none; margin: 12px 0 0; padding: 0; display: grid; gap: 12px; }
.findings > li {
  background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--tone);
  border-radius: 10px; padding: 16px 18px; min-width: 0;
}
.findings .says { font-size: 17px; font-weight: 600; overflow-wrap: anywhere; margin: 6px 0; }
.findings .do { overflow-wrap: anywhere; }
.tag {
  display: inline-block; color: var(--tone); border: 1.5px solid var(--tone); border-radius: 999px;
  padding: 0 10px; font-size: 13px; font-weight: 650;
}
.check { font-weight: 650; font-size: 14px; margin-left: 6px; }
.pair { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 8px 0; }
.pair div { min-width: 0; }
.pair dt { color: var(--muted); font-size: 13px; }
.pair dd {
  margin: 0; font-weight: 650; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
details { margin-top: 10px; }
summary { cursor: pointer; font-size: 14px; color: var(--muted); padding: 4px 0; }
summary:hover { color: var(--ink); }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin-top: 6px; }
caption { text-align: left; color: var(--muted); font-size: 13px; padding: 4px 0; }
th, td {
  text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top;
}
th { font-weight: 600; } thead th { color: var(--muted); font-size: 13px; }
td.n, th.n {
  text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: 12px;
}
tr.young td, tr.young th { color: var(--muted); }
td.name, th.name { overflow-wrap: anywhere; min-width: 9em; }
th[scope="row"] { font-weight: 500; }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
nav table a { color: inherit; }
@media (max-width: 560px) {
  main, header.top, footer { padding-left: 14px; padding-right: 14px; }
  h1, h2 { font-size: 22px; }
  h3 { font-size: 18px; margin-top: 32px; }
  .verdict p { font-size: 18px; }
  .card { padding: 14px 12px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile { padding: 12px; }
  .tile dd.big { font-size: 20px; overflow-wrap: anywhere; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --card: #ffffff; --ink: #000000; --muted: #444444; --line: #cccccc;
    --soft: #eeeeee;
    --arrived: #b9c2cc; --delivered: #14756b; --server: #4a5fc1; --browser: #a9b4ea;
    --attributed: #8a3f8f; --reported: #c0476d; --spend: #b07a12;
    --critical: #b3201d; --high: #a94a08; --medium: #7d6204; --low: #2f6592; --info: #444444;
    --good: #1d7044;
  }
  body { font-size: 10.5pt; }
  svg *, .verdict, .tag, .card { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .card, .tile, .verdict, .findings > li, tr { break-inside: avoid; }
  h3, h4, h3 + p, caption, summary { break-after: avoid; }
  .account + .account { break-before: page; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  summary { list-style: none; }
  .scroll { overflow: visible; }
  .scroll > svg { min-width: 0; }
}
"""
