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
    responses: { 201: {}, default: { content: { 'application/problem+json': {} } } },
  })
  expect(document.paths['/plans']?.['get']?.security).toEqual([])
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => Object.assign(operation, { path })),
  )
  expect(operations.length).toBeGreaterThan(20)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { path, summary, parameters } of operations) {
    expect(summary).not.toBe('')
    const placeholders = path.match(/(?<=\{)\w+/g) ?? []
    expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(placeholders)
    expect(html).toContain(path)
  }
  expect(page.headers.get('content-security-policy')).toContain(`default-src 'none'`)
  expect(html).not.toMatch(/<script|https?:/)
})
