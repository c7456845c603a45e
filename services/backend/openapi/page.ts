import type { OpenApiDocument, Operation, Parameter } from './document.ts'

/** The document for people: one page without scripts, readable with the network unplugged. */
export function toPage({ info, paths }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => toSection(method.toUpperCase(), path, operation)),
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(info.title)}</h1>
<p>${escaped(info.description)} The same for programs: <a href="openapi.json">openapi.json</a>.</p>
${operations.join('\n')}
</body>
</html>
`
}

const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid #8885; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem }
pre { overflow-x: auto; background: #8881; border-radius: 6px; padding: .75rem }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
.note { opacity: .75 }
`

function toSection(method: string, path: string, operation: Operation): string {
  const { summary, security, parameters, requestBody, responses } = operation
  return `<details>
<summary><code><span class="method">${method}</span>${escaped(path)}</code><br>${escaped(summary)}</summary>
<p class="note">${security.length === 0 ? 'For everybody.' : 'Needs a session or the admin token.'}</p>
${parameters.length === 0 ? '' : `<ul>${parameters.map(toItem).join('')}</ul>`}
${requestBody ? toSchema('Body', requestBody.content) : ''}
${Object.entries(responses)
  .filter(([status]) => status !== 'default')
  .map(([status, { content }]) => toSchema(status, content))
  .join('\n')}
</details>`
}

function toItem({ name, in: place, required, schema, description }: Parameter): string {
  const says = description ?? ('description' in schema ? String(schema.description) : '')
  const note = [`in the ${place}${required ? ', required' : ''}`, says].filter(Boolean).join('. ')
  return `<li><code>${escaped(name)}</code> ${escaped(note)}</li>`
}

function toSchema(title: string, content: Readonly<Record<string, { readonly schema: object }>>): string {
  return Object.values(content)
    .map(({ schema }) => `<p>${escaped(title)}</p><pre>${escaped(JSON.stringify(schema, undefined, 2))}</pre>`)
    .join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
