"""The style sheet of the HTML report.  System colours adapt to light and dark by themselves; the few of our own are
given for both, with a contrast of at least 4.5 to 1 on their background.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1d2126; --soft: #59626c; --line: #d9dee3; --panel: #f6f8fa;
  --error: #b3261e; --warning: #8a5300; --good: #1d6f42; --bar: #4a6fa5; --link: #0b57a4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --ink: #e6e9ec; --soft: #a0a9b2; --line: #333a41; --panel: #1d2227;
    --error: #ff8a80; --warning: #f0b35a; --good: #6fcf97; --bar: #6d95d1; --link: #8ab8f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 66rem; padding: 1.5rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.1rem; margin: 0; color: var(--soft); font-weight: 600; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .2rem 0; }
a { color: var(--link); }
code { font: .92em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.lead { font-size: 1.6rem; font-weight: 650; line-height: 1.25; }
.facts, .when, .count, .site { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--warning); padding-left: .6rem; font-size: .9rem; }
.count { font-weight: 400; margin-left: .4rem; }
.code { font-weight: 700; }
.error .code { color: var(--error); }
.warning .code, .codes, code.bad { color: var(--warning); }
.good { color: var(--good); }
article.finding {
  border: 1px solid var(--line); border-left: 4px solid var(--warning); border-radius: 4px;
  padding: .6rem .9rem; margin: .6rem 0; background: var(--panel);
}
article.error { border-left-color: var(--error); }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
tbody tr { border-bottom: 1px solid var(--line); }
tr.head th, tr.head td { padding-top: .8rem; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; width: 6rem; }
.bar { width: 45%; }
.bar span { display: block; height: .8rem; margin-top: .35rem; background: var(--bar); border-radius: 2px; min-width: 2px; }
.bar.look span { background: var(--warning); }
details { border: 1px solid var(--line); border-radius: 4px; margin: .5rem 0; padding: .1rem .8rem; }
details[open] { background: var(--panel); padding-bottom: .6rem; }
summary { cursor: pointer; padding: .35rem 0; }
summary > * { margin-right: .6rem; }
.outcome { font-weight: 600; }
.outcome.bad { color: var(--warning); }
.codes { font-weight: 600; }
ol.turns { list-style: none; margin: .5rem 0 0; padding: 0; }
ol.turns li { border-left: 2px solid var(--line); padding: .15rem 0 .45rem 1rem; position: relative; }
ol.turns li::before {
  content: ""; position: absolute; left: -6px; top: .6rem; width: 10px; height: 10px; border-radius: 50%;
  background: var(--good);
}
ol.turns li.look::before { background: var(--warning); }
ol.turns li.branch::after {
  content: ""; position: absolute; left: -22px; top: .95rem; width: 18px; border-top: 2px solid var(--line);
}
.index { display: inline-block; min-width: 1.6rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.way { display: inline-block; min-width: 8rem; }
li .finding { margin-top: .2rem; }
@media (max-width: 40rem) { body { padding: .8rem; } .bar { width: 25%; } .way { min-width: 0; } }
@media print { details > * { display: block; } }
"""
