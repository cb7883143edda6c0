/** Looks of all pages: one column that fits 320 pixels and up, light and dark, and printed. Every text has a contrast of 4.5 or more. */
export const STYLE: string = `
:root { color-scheme: light dark; --bg: #fff; --card: #f6f7f9; --text: #1c1f23; --quiet: #555c66; --border: #d5d9df; --grid: #e6e8ec; --frame: #8a9099;
  --accent: #0b5394; --accent-soft: #9ec3e6; --floor: #14692f; --floor-soft: #9fd3b0; --bad: #a3330b; --bad-bg: #fdeee7; --good-bg: #e6f4ea; --warn-bg: #fff4d6; --warn-edge: #b07d00;
  --line-faint: #b9cfe6; --line-1: #0b5394; --line-2: #b8450a; --line-3: #14692f; --line-4: #8e3f86; --line-5: #7a5b00; --line-6: #35627e }
@media (prefers-color-scheme: dark) { :root { --bg: #15181c; --card: #1e2227; --text: #e6e9ed; --quiet: #a5adb8; --border: #3a4048; --grid: #2d3239; --frame: #727a85;
  --accent: #7ab8f5; --accent-soft: #2f5f8d; --floor: #6fcf8c; --floor-soft: #2b6b3f; --bad: #ff9b73; --bad-bg: #3d2118; --good-bg: #173222; --warn-bg: #352a0c; --warn-edge: #d6a21e;
  --line-faint: #33506d; --line-1: #7ab8f5; --line-2: #ff9b62; --line-3: #6fcf8c; --line-4: #dd9bd5; --line-5: #e2bd55; --line-6: #8fc0dc } }
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 }
h1.long { font-size: 1.15rem }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem }
p { margin: .5rem 0; max-width: 46rem }
.kicker { color: var(--quiet); margin: 0 0 .25rem }
.quiet, .range, .meaning { color: var(--quiet); font-size: .875rem }
.range, .facts .quiet { display: block }
.number { font-variant-numeric: tabular-nums }
.large { font-size: 1.5rem; display: block; line-height: 1.3 }
.tiles, .facts { display: grid; gap: .75rem; margin: 1.25rem 0; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)) }
.facts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)) }
.tiles > div, .facts > div { background: var(--card); border: 1px solid var(--border); border-radius: .5rem; padding: .75rem 1rem; min-width: 0 }
dt { color: var(--quiet); font-size: .875rem }
dd { margin: 0 }
.facts .path { display: block }
.verdict { display: inline-block; border-radius: 1rem; padding: .05rem .6rem; font-size: .8125rem; border: 1px solid currentColor; color: var(--quiet); white-space: nowrap }
.verdict.at-floor { color: var(--floor); background: var(--good-bg) }
.verdict.short, .verdict.beyond { color: var(--bad); background: var(--bad-bg) }
.warnings { background: var(--warn-bg); border-left: .3rem solid var(--warn-edge); border-radius: .25rem; padding: .75rem 1rem; margin: 1.25rem 0 }
.warnings h2 { margin: 0; font-size: 1rem }
.warnings ul { margin: .25rem 0 0; padding-left: 1.25rem }
.warning { background: var(--warn-bg); border-left: .2rem solid var(--warn-edge); padding: .1rem .5rem; font-size: .875rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--border) }
thead th { color: var(--quiet); font-size: .875rem; font-weight: 600 }
caption { text-align: left; font-weight: 600; padding: .5rem 0 }
.measures th .name { font-weight: 600 }
.measures .meaning { font-weight: 400; margin: .15rem 0 }
.measures tbody th { width: 27% }
.measures td:nth-child(3) { width: 20% }
.measures td:nth-child(4) { width: 25% }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg text { fill: var(--quiet) }
svg.interval { max-width: 22rem; min-width: 12rem }
.interval.key, .legend svg { display: inline-block; width: 1.75rem; min-width: 0; height: .75rem; vertical-align: middle; margin-right: .35rem }
.axis, .tick, .zero, .bar, .reference-bar, .mark, .level, .reference, .matched { fill: none }
.axis, .zero { stroke: var(--frame) }
.tick { stroke: var(--grid) }
.bar { stroke: var(--accent-soft); stroke-width: 6 }
.value { fill: var(--accent) }
.reference-bar { stroke: var(--floor-soft); stroke-width: 4 }
.reference { stroke: var(--floor); stroke-width: 2; fill: var(--bg) }
.matched { stroke: var(--accent); stroke-width: 2 }
.mark { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 2 }
.level { stroke: var(--floor); stroke-width: 1.5; stroke-dasharray: 6 3 }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .25rem 0; padding: 0; font-size: .875rem; color: var(--quiet); max-width: none }
.legend > * { display: flex; align-items: baseline }
.legend svg { flex: none }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)) }
figure { margin: 0; min-width: 0 }
figcaption { font-weight: 600; margin-bottom: .25rem }
figcaption .quiet { font-weight: 400 }
img.pixels { image-rendering: pixelated }
img { max-width: 100%; height: auto; background: #fff }
.grids { display: flex; flex-wrap: wrap; gap: 1.5rem }
.memorisation { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)) }
.memorisation > div:first-child { max-width: 14rem }
.nearest { display: grid; gap: 1rem; margin-top: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)) }
.nearest figure { border: 1px solid var(--border); border-radius: .5rem; padding: .6rem .75rem; break-inside: avoid }
.nearest figure.suspect { border: 2px solid var(--bad) }
.nearest figcaption { font-size: .875rem }
.nearest .row { display: flex; gap: .75rem }
.nearest img { width: var(--side); display: block }
.nearest.small { --side: 4.5rem }
.nearest.large { --side: 7rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 38rem), 1fr)) }
.nearest .sample img { outline: 2px solid var(--accent); outline-offset: 1px }
.nearest ol { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: 0; padding: 0; min-width: 0 }
.nearest li { width: var(--side); font-size: .8125rem; line-height: 1.3 }
.nearest li span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .8125rem }
.scroll { overflow-x: auto; max-width: 100% }
.scroll.tall { max-height: 36rem; overflow-y: auto; border: 1px solid var(--border); border-radius: .5rem }
.classes th, .classes td { padding: .4rem .75rem; white-space: nowrap }
.classes thead th { position: sticky; top: 0; background: var(--card); white-space: normal; min-width: 5.5rem }
.classes tbody th { white-space: normal; min-width: 11rem; max-width: 16rem; font-weight: 500 }
.classes thead button { all: unset; cursor: pointer; text-decoration: underline dotted; font: inherit }
.classes thead button:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
[aria-sort=ascending] button::after { content: ' ▲' }
[aria-sort=descending] button::after { content: ' ▼' }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem }
.settings { columns: 22rem; column-gap: 2rem; margin: 0; font-size: .875rem }
.settings div { display: flex; gap: .75rem; border-bottom: 1px solid var(--border); padding: .25rem 0; break-inside: avoid }
.settings dt { flex: 0 0 45% }
progress { width: 100%; height: .75rem; accent-color: var(--accent) }
pre { background: var(--card); border: 1px solid var(--border); border-radius: .5rem; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; font-size: .9em }
@media (max-width: 48rem) {
  .facts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)) }
  .tiles > div, .facts > div { padding: .5rem .75rem }
  .measures, .measures tbody, .measures tr, .measures th, .measures td { display: block; width: auto !important }
  .measures thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden }
  .measures tr { border-bottom: 1px solid var(--border); padding: .75rem 0 }
  .measures th, .measures td { border: 0; padding: .15rem 0 }
  svg.interval:not(.key) { max-width: none }
  .nearest.small { --side: 3.5rem }
}
@media print {
  :root { --bg: #fff; --card: #fff; --text: #000; --quiet: #444; --border: #bbb }
  main { max-width: none; padding: 0 }
  .scroll, .scroll.tall { overflow: visible; max-height: none }
  .classes thead th { position: static }
  tr, figure, .tiles > div, .facts > div { break-inside: avoid }
  h2 { break-after: avoid }
}
`
