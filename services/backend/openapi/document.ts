import type { TSchema } from 'typebox'
import { PROBLEM_TYPE, ProblemShape } from '../routes/problem.ts'
import { refusalsOf } from './refusals.ts'
import { SECTION_NAMES, sectionOf } from './sections.ts'

/** A route as it was added. */
export interface RouteEntry {
  readonly method: string
  /** Parameters as `:name`. */
  readonly path: string
  /** Whether it asks for nobody. */
  readonly isOpen: boolean
  readonly schema: RouteSchema
}

export interface RouteSchema {
  readonly summary?: string
  readonly params?: ObjectSchema
  readonly querystring?: ObjectSchema
  readonly body?: TSchema
  readonly response?: Readonly<Record<string, TSchema>>
  /** Refusals that only this route has, by status. */
  readonly refusals?: Readonly<Record<string, string>>
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

export interface Operation {
  readonly summary: string
  /** Its section. */
  readonly tags: readonly [string]
  readonly operationId: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly required: true; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: object
}

type Content = Readonly<Record<string, { readonly schema: object }>>

/** OpenAPI 3.1, whose schemas are JSON Schema as the routes have it. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: { readonly Problem: object }; readonly securitySchemes: object }
}

const SECURITY = [{ bearer: [] }, { cookie: [] }] as const

export function toDocument(routes: readonly RouteEntry[]): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, path) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Aldea backend',
      version: '1',
      description: 'Accounts, organisations, keys, usage and billing. Money is in millionths of a dollar, time in UTC.',
    },
    tags: SECTION_NAMES.map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: ProblemShape },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A session, or the admin token of the platform.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'aldea_session' },
      },
    },
  }
}

function toOperation(route: RouteEntry, path: string): Operation {
  const { method, isOpen, schema } = route
  const { summary = '', params, querystring, body, response = {} } = schema
  const isCreation = '201' in response
  return {
    summary,
    tags: [sectionOf(path)],
    operationId: `${method.toLowerCase()}${path.replaceAll(/\W+(\w)/g, (_match, letter: string) => letter.toUpperCase()).replaceAll(/\W/g, '')}`,
    security: isOpen ? [] : SECURITY,
    parameters: [
      ...toParameters('path', params),
      ...toParameters('query', querystring),
      ...(isCreation ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(response).map(([status, answer]) => [
          status,
          { description: isCreation ? 'Created.' : 'Done.', content: { 'application/json': { schema: answer } } },
        ]),
      ),
      ...Object.fromEntries(Object.entries(refusalsOf(route)).map(([status, why]) => [status, refused(why)])),
      default: refused('Any other failure.'),
    },
  }
}

function refused(description: string): Operation['responses'][string] {
  return { description, content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } }
}

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A repeated request with the same key creates nothing more for 24 hours; secrets are not shown again.',
  schema: { type: 'string', maxLength: 255 },
}

function toParameters(place: 'path' | 'query', object: ObjectSchema | undefined): Parameter[] {
  return Object.entries(object?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: place,
    required: object?.required?.includes(name) ?? false,
    schema,
  }))
}
