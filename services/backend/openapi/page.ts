import type { OpenApiDocument, Operation, Parameter } from './document.ts'
import { STYLE } from './page-style.ts'
import { notesOf, toShapeText } from './shape-text.ts'

/** The document for people: one page without scripts, readable with the network unplugged. */
export function toPage({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === name)
    return `<section id="${anchorOf(name)}"><h2>${escaped(name)}</h2>${own.map(toDetails).join('\n')}</section>`
  })
  const links = tags.map(({ name }) => `<a href="#${anchorOf(name)}">${escaped(name)}</a>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(info.title)}</h1>
<p>${escaped(info.description)}</p>
<nav>${links.join(' ')} <a href="#refusals">Refusals</a> <a href="openapi.json">openapi.json</a></nav>
</header>
<p>Routes with a <span class="lock">session</span> mark want <code>Authorization: Bearer …</code> with the token of a
session or the admin token of the platform, or the cookie that signing in sets.</p>
${sections.join('\n')}
<section id="refusals"><h2>Refusals</h2>
<p>Every refusal is a problem as RFC 9457 has it, of the type <code>application/problem+json</code>:</p>
<pre>${escaped(toShapeText(components.schemas.Problem))}</pre></section>
</body>
</html>
`
}

function toDetails({
  method,
  path,
  operation,
}: {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}): string {
  const { summary, operationId, security, parameters, requestBody, responses } = operation
  const lock = security.length === 0 ? '' : '<span class="lock">session</span>'
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  const refusals = Object.entries(responses).filter(([status]) => /^[45]/.test(status))
  return `<details id="${operationId}">
<summary><span class="route"><b class="method ${method}">${method.toUpperCase()}</b> <code>${escaped(path)}</code>${lock}</span>
<span class="says">${escaped(summary)}</span></summary>
${parameters.length === 0 ? '' : `<h3>Parameters</h3><dl class="parameters">${parameters.map(toParameter).join('')}</dl>`}
${requestBody ? `<h3>Body</h3>${toShapes(requestBody.content)}` : ''}
${answers.map(([status, { content }]) => `<h3>Answer ${status}</h3>${toShapes(content)}`).join('')}
<h3>Refusals</h3><dl class="statuses">${refusals.map(([status, { description }]) => toEntry(status, description)).join('')}</dl>
</details>`
}

function toParameter({ name, in: place, required, schema, description }: Parameter): string {
  const notes = notesOf(schema)
  const says = [`${place}${required ? ', required' : ''}`, toShapeText(schema), description?.replace(/\.$/, ''), notes]
  return toEntry(name, says.filter(Boolean).join('; '))
}

function toEntry(term: string, says: string): string {
  return `<div><dt><code>${escaped(term)}</code></dt><dd>${escaped(says)}</dd></div>`
}

function toShapes(content: Readonly<Record<string, { readonly schema: object }>>): string {
  return Object.values(content)
    .map(({ schema }) => `<pre>${escaped(toShapeText(schema))}</pre>`)
    .join('')
}

function anchorOf(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
