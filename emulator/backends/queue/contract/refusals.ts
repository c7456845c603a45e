import { askJson, askQuery, element } from './raw.ts'
import { type Refusal, REFUSALS } from './refusal-cases.ts'
import type { ContractItem, World } from './world.ts'

/** What a refusal is called: all of them differ at once where a supplier lacks a protocol or the names. */
const codeTitleOf = ({ what, code }: Refusal): string => `conformance 23: ${what} is ${code} in both protocols`

export const REFUSAL_CODES: readonly string[] = REFUSALS.map(codeTitleOf)

export const refusals: readonly ContractItem[] = REFUSALS.flatMap((refusal) => [
  {
    title: `${refusal.what} is refused`,
    async check(world: World) {
      const { status, text } = await askJson(world.endpoint, ...(await refusal.request(world)))
      world.expect({ status, text }).toMatchObject({ status: 400 })
    },
  },
  {
    title: codeTitleOf(refusal),
    async check(world: World) {
      const { code, shape, request } = refusal
      const json = await askJson(world.endpoint, ...(await request(world)))
      const query = await askQuery(world.endpoint, ...(await request(world)))
      world.expect(json.headers.get('x-amzn-query-error')).toBe(`${code};Sender`)
      world.expect(element(query.text, 'Code')).toBe(code)
      world.expect(element(query.text, 'Type')).toBe('Sender')
      world.expect([json.status, query.status]).toEqual([400, 400])
      const { __type: type, message } = JSON.parse(json.text) as Record<string, string>
      world.expect(message).toMatch(/\w/)
      if (shape !== undefined) world.expect(type).toBe(`com.amazonaws.sqs#${shape}`)
    },
  },
])
