import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import type { Context, Handler } from 'aws-lambda'
import { expectTypeOf, test } from 'vitest'
import { lambdaHandler, type LambdaHandler } from './lambda.ts'
import type { FunctionContext } from './runtime.ts'

const context: FunctionContext = { functionName: 'f', awsRequestId: 'request-1', getRemainingTimeInMillis: () => 1_000 }

test('the handler and its context have the types of AWS Lambda', () => {
  expectTypeOf<LambdaHandler>().toExtend<Handler<unknown, unknown>>()
  expectTypeOf<Context>().toExtend<FunctionContext>()
})

test('a program is started once, whatever the number of events', async ({ expect }) => {
  let starts = 0
  const handler = await lambdaHandler(
    async (variables) => {
      starts += 1
      return {
        handler: async (event, { awsRequestId }) => [variables['GREETING'], event, awsRequestId],
        stop: () => Promise.resolve(),
      }
    },
    { GREETING: 'hello' },
  )
  expect(await handler('a', context)).toEqual(['hello', 'a', 'request-1'])
  await handler('b', context)
  expect(starts).toBe(1)
})

test('a program that cannot start fails the initialisation', async ({ expect }) => {
  const broken = (): never => {
    throw new Error('DATABASE_URL is missing')
  }
  await expect(lambdaHandler(async () => broken(), {})).rejects.toThrow('DATABASE_URL is missing')
})

test('redis-seeder is loaded by path and fails as Lambda wants it without its variables', async ({ expect }) => {
  const main = fileURLToPath(new URL('../redis-seeder/main.ts', import.meta.url))
  const script = `import(${JSON.stringify(main)}).catch((error) => { process.stdout.write(error.message); process.exit(3) })`
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], { env: {} })
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => {
      child.once('close', resolve)
    }),
  ])
  expect([code, output]).toEqual([3, 'Environment variables are wrong: DATABASE_URL is missing; REDIS_URL is missing.'])
})
