import type { FastifyInstance, FastifyTypeProvider } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** A scope whose handlers get bodies and parameters, and give answers, as their schemas say. */
export type SchemaApi = ReturnType<typeof withSchemas>

/**
 * Requests are checked as they come, without conversion; that answers fit is the compiler's business. The framework's
 * own way generates code for each schema, which takes longer than the whole rest of the service's start.
 */
export function withSchemas(scope: FastifyInstance) {
  scope.setValidatorCompiler<TSchema>(({ schema, httpPart = 'request' }) => (value: unknown) => {
    if (Value.Check(schema, value)) return { value }
    const [first] = Value.Errors(schema, value)
    return { error: new Error(`${httpPart}${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}.`) }
  })
  scope.setSerializerCompiler(() => JSON.stringify)
  return scope.withTypeProvider<TypeBoxProvider>()
}

interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}
