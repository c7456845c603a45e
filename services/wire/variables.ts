import type { Static, TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { Variables } from './runtime.ts'

/**
 * The environment variables that `schema` names, converted to its types. Empty ones count as absent, others are
 * ignored.
 * @throws Error naming every variable that is missing or wrong; values are left out, for some are secret.
 */
export function readVariables<Schema extends TObject>(schema: Schema, variables: Variables): Static<Schema> {
  const given = Object.fromEntries(
    Object.keys(schema.properties).flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])),
  )
  const values = Value.Convert(schema, Value.Default(schema, given))
  if (Value.Check(schema, values)) return values
  throw new Error(`Environment variables are wrong: ${problemsOf(schema, values as object).join('; ')}.`)
}

function problemsOf(schema: TObject, values: object): string[] {
  const found = new Map(Object.entries(values))
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    if (!found.has(name)) return schema.required?.includes(name) ? [`${name} is missing`] : []
    const value: unknown = found.get(name)
    return Value.Check(property, value) ? [] : [`${name} ${expectation(property, value)}`]
  })
}

function expectation(property: TSchema, value: unknown): string {
  const errors = [...Value.Errors(property, value)]
  const allowed = errors.flatMap(({ keyword, params }) => (keyword === 'const' ? [String(params.allowedValue)] : []))
  return allowed.length > 0 ? `must be ${allowed.join(' or ')}` : (errors[0]?.message ?? 'is wrong')
}
