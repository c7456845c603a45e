import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandInput,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda'
import { describe, type ExpectStatic, test } from 'vitest'
import { load, serve, type TestApi } from '../testing.ts'

interface Answer {
  readonly status: number | undefined
  readonly error: string | undefined
  readonly version: string | undefined
  readonly payload: unknown
  readonly log: readonly string[]
}

async function ask({ client }: TestApi, input: Partial<InvokeCommandInput> = {}): Promise<Answer> {
  const { StatusCode, FunctionError, ExecutedVersion, Payload, LogResult } = await client.send(
    new InvokeCommand({ FunctionName: 'f', ...input }),
  )
  const text = Payload?.transformToString() ?? ''
  return {
    status: StatusCode,
    error: FunctionError,
    version: ExecutedVersion,
    payload: text === '' ? undefined : (JSON.parse(text) as unknown),
    log: Buffer.from(LogResult ?? '', 'base64')
      .toString()
      .split('\n')
      .slice(0, -1),
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/

function matching(expect: ExpectStatic, pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}

describe('names', () => {
  test.for([
    'f',
    'f:$LATEST',
    'arn:aws:lambda:us-west-2:000000000000:function:f',
    'arn:aws:lambda:us-west-2:000000000000:function:f:$LATEST',
    '000000000000:function:f',
  ])('%s is found', async (FunctionName, { expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [await load(onTestFinished, (event) => event)])
    const answer = await ask(api, { FunctionName, Payload: '{"a":1}' })
    expect(answer).toMatchObject({ status: 200, error: undefined, version: '$LATEST', payload: { a: 1 } })
  })

  test.for<[string, string | undefined, string]>([
    ['g', undefined, 'arn:aws:lambda:us-west-2:000000000000:function:g'],
    ['f:live', undefined, 'arn:aws:lambda:us-west-2:000000000000:function:f:live'],
    ['f', '7', 'arn:aws:lambda:us-west-2:000000000000:function:f:7'],
    ['arn:aws:lambda:eu-west-1:000000000000:function:f', undefined, 'arn:aws:lambda:eu-west-1:000000000000:function:f'],
  ])('%s with qualifier %s is not found', async ([FunctionName, Qualifier, arn], { expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [await load(onTestFinished, (event) => event)])
    await expect(ask(api, { FunctionName, Qualifier })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arn}`,
      $metadata: { httpStatusCode: 404, requestId: matching(expect, UUID) },
    })
  })

  test('a qualifier must be the one in the name', async ({ expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [await load(onTestFinished, (event) => event)])
    await expect(ask(api, { FunctionName: 'f:live', Qualifier: '$LATEST' })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    })
  })
})

test('the handler gets event and context as in the cloud, and client context', async ({ expect, onTestFinished }) => {
  const api = await serve(onTestFinished, [
    await load(onTestFinished, (event, context) => ({ event, context, ms: context.getRemainingTimeInMillis() })),
  ])
  const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString('base64')
  const { payload } = await ask(api, { ClientContext })
  expect(payload).toEqual({
    event: {},
    context: {
      callbackWaitsForEmptyEventLoop: true,
      functionName: 'f',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-west-2:000000000000:function:f',
      memoryLimitInMB: '128',
      awsRequestId: matching(expect, UUID),
      logGroupName: '/aws/lambda/f',
      logStreamName: matching(expect, /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      clientContext: { custom: { a: 'b' } },
    },
    ms: expect.any(Number) as unknown,
  })
})

test('conformance 25: a function that throws is 200 with FunctionError and its error', async ({
  expect,
  onTestFinished,
}) => {
  const broken = (): never => {
    throw new TypeError('no such thing')
  }
  const api = await serve(onTestFinished, [await load(onTestFinished, broken)])
  const answer = await ask(api, { LogType: 'Tail' })
  expect(answer).toMatchObject({
    status: 200,
    error: 'Unhandled',
    payload: {
      errorType: 'TypeError',
      errorMessage: 'no such thing',
      trace: expect.arrayContaining(['TypeError: no such thing']) as unknown,
    },
  })
  expect(answer.log.at(-1)).toMatch(/\tStatus: error\tError Type: TypeError$/)
  expect(answer.log[1]).toMatch(/\tERROR\tInvoke Error \t\{"errorType":"TypeError"/)
})

test('conformance 25: a function that is too slow answers the text of the cloud', async ({
  expect,
  onTestFinished,
}) => {
  const api = await serve(onTestFinished, [
    await load(onTestFinished, () => new Promise(() => undefined), { timeoutSeconds: 0.05 }),
  ])
  const answer = await ask(api, { LogType: 'Tail' })
  expect(answer).toMatchObject({
    status: 200,
    error: 'Unhandled',
    payload: {
      errorType: 'Sandbox.Timedout',
      errorMessage: matching(
        expect,
        new RegExp(`^RequestId: ${UUID.source} Error: Task timed out after 0.05 seconds$`),
      ),
    },
  })
  expect(answer.log.at(-1)).toMatch(new RegExp(`^\\S+Z ${UUID.source} Task timed out after 0.05 seconds$`))
})

test('conformance 25: the log tail has START, the lines of the function, END and REPORT', async ({
  expect,
  onTestFinished,
}) => {
  const api = await serve(onTestFinished, [
    await load(onTestFinished, {
      start: (_variables, { log }) =>
        Promise.resolve({
          async handler() {
            log.info({ organisations: 2 }, 'hello')
            log.debug('not at this level')
            log.child({ part: 'a' }).warn('careful')
          },
          stop: () => Promise.resolve(),
        }),
    }),
  ])
  const id = UUID.source
  const first = await ask(api, { LogType: 'Tail' })
  const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'
  const report = `^REPORT RequestId: ${id}\tDuration: [\\d.]+ ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\t`
  expect(first.log).toEqual([
    matching(expect, new RegExp(`^START RequestId: ${id} Version: \\$LATEST$`)),
    matching(expect, new RegExp(`^${time}\t${id}\tINFO\thello \\{"organisations":2\\}$`)),
    matching(expect, new RegExp(`^${time}\t${id}\tWARN\tcareful \\{"part":"a"\\}$`)),
    matching(expect, new RegExp(`^END RequestId: ${id}$`)),
    matching(expect, new RegExp(`${report}Init Duration: [\\d.]+ ms\t$`)),
  ])
  const second = await ask(api, { LogType: 'Tail' })
  expect(second.log.at(-1)).toMatch(new RegExp(`${report}$`))
  expect((await ask(api)).log).toEqual([])
})

test('the tail is the last 4 KB', async ({ expect, onTestFinished }) => {
  const api = await serve(onTestFinished, [
    await load(onTestFinished, {
      start: (_variables, { log }) =>
        Promise.resolve({
          async handler() {
            for (let line = 0; line < 500; line += 1) log.info(`line ${line} ü`)
          },
          stop: () => Promise.resolve(),
        }),
    }),
  ])
  const { log } = await ask(api, { LogType: 'Tail' })
  expect(Buffer.byteLength(`${log.join('\n')}\n`)).toBeLessThanOrEqual(4_098)
  expect(log).toContainEqual(matching(expect, /line 499 ü$/))
  expect(log.join()).not.toContain('START')
})

test('Event is 202 and runs later; DryRun is 204 and runs nothing', async ({ expect, onTestFinished }) => {
  const events: unknown[] = []
  const api = await serve(onTestFinished, [await load(onTestFinished, (event) => void events.push(event))])
  expect(await ask(api, { InvocationType: 'DryRun', Payload: '1' })).toMatchObject({ status: 204, payload: undefined })
  expect(await ask(api, { InvocationType: 'Event', Payload: '2' })).toMatchObject({ status: 202, payload: undefined })
  await expect.poll(() => events).toEqual([2])
})

describe('refusals', () => {
  test('a payload that is no JSON', async ({ expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [await load(onTestFinished, (event) => event)])
    await expect(ask(api, { Payload: '{"a":' })).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
      message: matching(expect, /^Could not parse request body into json: /),
      $metadata: { httpStatusCode: 400 },
    })
  })

  test.for<[NonNullable<InvokeCommandInput['InvocationType']>, number]>([
    ['RequestResponse', 6_291_556],
    ['Event', 1_048_576],
  ])('a payload too large for %s', async ([InvocationType, limit], { expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [await load(onTestFinished, () => 'taken')])
    const payload = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2))
    expect((await ask(api, { InvocationType, Payload: payload(limit) })).error).toBeUndefined()
    await expect(ask(api, { InvocationType, Payload: payload(limit + 1) })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
      message: `${limit + 1} byte payload is too large for the ${InvocationType} invocation type (limit ${limit} bytes)`,
      $metadata: { httpStatusCode: 413 },
    })
  })

  test('more at a time than there may be instances', async ({ expect, onTestFinished }) => {
    const api = await serve(onTestFinished, [
      await load(onTestFinished, () => new Promise(() => undefined), { maximumInstances: 1 }),
    ])
    const outcomes = [ask(api), ask(api)]
    await expect(Promise.race(outcomes)).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      $metadata: { httpStatusCode: 429 },
    })
    api.client.destroy()
    await Promise.allSettled(outcomes.map((each) => Promise.race([each, Promise.resolve()])))
  })

  test('an operation there is not', async ({ expect, onTestFinished }) => {
    const { url } = await serve(onTestFinished, [])
    const response = await fetch(`${url}/2015-03-31/functions`, { method: 'DELETE' })
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([404, 'UnknownOperationException'])
  })
})

test.for<[string, () => unknown, string, RegExp]>([
  ['too much', () => 'x'.repeat(6_291_556), 'Function.ResponseSizeTooLarge', /\(6291558 bytes\) exceeded maximum/],
  ['what has no JSON', () => 1n, 'Runtime.MarshalError', /^Unable to stringify response body$/],
])('a function that answers %s failed', async ([, handler, errorType, errorMessage], { expect, onTestFinished }) => {
  const api = await serve(onTestFinished, [await load(onTestFinished, handler)])
  expect(await ask(api)).toMatchObject({
    status: 200,
    error: 'Unhandled',
    payload: { errorType, errorMessage: matching(expect, errorMessage) },
  })
})

test('functions are listed and described', async ({ expect, onTestFinished }) => {
  const settings = { timeoutSeconds: 60, memoryMb: 512, maximumInstances: 3 }
  const { client } = await serve(onTestFinished, [await load(onTestFinished, (event) => event, settings)])
  const described = { FunctionName: 'f', Timeout: 60, MemorySize: 512, State: 'Active', Version: '$LATEST' }
  const wanted = { FunctionName: 'f' }
  expect(await client.send(new GetFunctionConfigurationCommand(wanted))).toMatchObject(described)
  expect(await client.send(new GetFunctionCommand(wanted))).toMatchObject({
    Configuration: described,
    Concurrency: { ReservedConcurrentExecutions: 3 },
  })
  const { Functions } = await client.send(new ListFunctionsCommand({}))
  expect(Functions).toEqual([expect.objectContaining(described)])
})

test('the legacy path takes an event', async ({ expect, onTestFinished }) => {
  const events: unknown[] = []
  const { url } = await serve(onTestFinished, [await load(onTestFinished, (event) => void events.push(event))])
  const path = `${url}/2014-11-13/functions/f/invoke-async/`
  const response = await fetch(path, { method: 'POST', body: '{"a":1}' })
  expect([response.status, await response.json()]).toEqual([202, { Status: 202 }])
  await expect.poll(() => events).toEqual([{ a: 1 }])
  expect((await fetch(path, { method: 'POST', body: `"${'x'.repeat(262_144)}"` })).status).toBe(413)
})
