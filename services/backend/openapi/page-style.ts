/** Of the page: the colours of the reader's own theme, and a width at which nothing leaves a phone's screen. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #2563eb }
@media (prefers-color-scheme: dark) { :root { --accent: #7aa7ff } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { margin: 0; font-size: 1.75rem }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem }
h3 { margin: 1.25rem 0 .25rem; font-size: .8125rem; text-transform: uppercase; letter-spacing: .05em; opacity: .7 }
a { color: var(--accent) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875rem }
code { overflow-wrap: anywhere }
pre { overflow-x: auto; background: var(--soft); border-radius: 6px; padding: .75rem; margin: .25rem 0 }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: 0 .875rem }
details[open] { padding-bottom: .875rem }
details:target { border-color: var(--accent) }
summary { cursor: pointer; padding: .625rem 0; list-style: none }
summary::-webkit-details-marker { display: none }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 4px }
.route { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .625rem }
.route code { font-weight: 600 }
.says { display: block; margin-top: .125rem; opacity: .8 }
.method { min-width: 3.75rem; font: 700 .75rem/1.6 ui-monospace, monospace; text-align: center; border-radius: 4px;
  border: 1px solid; padding: 0 .375rem }
.get { color: #15803d } .post { color: #1d4ed8 } .put { color: #a16207 } .delete { color: #b91c1c }
@media (prefers-color-scheme: dark) {
  .get { color: #4ade80 } .post { color: #8ab4ff } .put { color: #facc15 } .delete { color: #f98080 }
}
.lock { font-size: .75rem; border: 1px solid var(--line); border-radius: 999px; padding: 0 .5rem; opacity: .8 }
dl { margin: 0 }
dl div { display: grid; grid-template-columns: minmax(4rem, 10rem) 1fr; gap: .125rem .75rem; padding: .125rem 0 }
dd { margin: 0 }
.statuses div { grid-template-columns: 3rem 1fr }
@media (max-width: 40rem) {
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  .parameters div { grid-template-columns: 1fr }
  .parameters dd { padding-left: 1rem; opacity: .9 }
}
`
