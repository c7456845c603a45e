import { test } from 'vitest'
import { startBackend, usePostgres } from '../testing.ts'
import type { OpenApiDocument } from './document.ts'

const openDatabase = usePostgres()

test('every route is described for programs and for people, without a script', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))

  const document = (await (await fetch(`${backend.url}/openapi.json`)).json()) as OpenApiDocument
  const page = await fetch(`${backend.url}/docs`)
  const html = await page.text()

  expect(document.openapi).toBe('3.1.0')
  expect(document.paths['/organisations/{id}/keys']?.['post']).toMatchObject({
    operationId: 'postOrganisationsIdKeys',
    security: [{ bearer: [] }, { cookie: [] }],
    parameters: [
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'Idempotency-Key', in: 'header' },
    ],
    requestBody: { content: { 'application/json': { schema: { type: 'object', required: ['name'] } } } },
    responses: { 201: {}, 422: {}, default: { content: { 'application/problem+json': {} } } },
  })
  expect(document.paths['/plans']?.['get']?.security).toEqual([])
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => Object.assign(operation, { path })),
  )
  expect(operations.length).toBeGreaterThan(20)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  const names = document.tags.map(({ name }) => name)
  for (const { path, summary, parameters, tags, operationId, security, responses, requestBody } of operations) {
    expect(summary).not.toBe('')
    expect(names).toContain(tags[0])
    expect(html).toContain(`id="${operationId}"`)
    const statuses = Object.keys(responses)
    if (security.length > 0) expect(statuses).toContain('401')
    if (path.includes('{')) expect(statuses).toEqual(expect.arrayContaining(['403', '404']))
    if (requestBody) expect(statuses).toEqual(expect.arrayContaining(['400', '413', '415']))
    const placeholders = path.match(/(?<=\{)\w+/g) ?? []
    expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(placeholders)
    expect(html).toContain(path)
  }
  // Types as people write them, with what else is known of each member.
  expect(html).toContain('  password: string  // 8 to 256 characters')
  expect(html).toContain('  role: &quot;owner&quot; | &quot;admin&quot; | &quot;member&quot; | &quot;viewer&quot;')
  expect(html).toContain('<dt><code>409</code></dt><dd>Somebody has signed up with this email already.</dd>')
  expect(html).toContain('color-scheme: light dark')
  expect(page.headers.get('content-security-policy')).toContain(`default-src 'none'`)
  expect(html).not.toMatch(/<script|https?:/)
})
