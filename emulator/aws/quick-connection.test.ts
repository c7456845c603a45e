import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import { array, assert, asyncProperty, constantFrom, nat, oneof, property, record, string, subarray } from 'fast-check'
import { type TestContext, test } from 'vitest'
import { spec, started, temporary } from '../backends/queue/embedded/testing.ts'
import { type AwsEndpoint, startAwsEndpoint } from './endpoint.ts'
import { createPlainReader } from './plain-request.ts'

type Cleanup = TestContext['onTestFinished']

const refuse = (): void => undefined

/** The same queues twice: as users have them, and with nothing but node:http before them. */
async function twins(onFinished: Cleanup): Promise<{ readonly quick: AwsEndpoint; readonly slow: AwsEndpoint }> {
  const stateDir = await temporary(onFinished)
  const backend = await started({ stateDir, queues: [spec('jobs')] }, onFinished)
  const open = async (door: Parameters<typeof startAwsEndpoint>[0]['queue']): Promise<AwsEndpoint> => {
    const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: door, functions: refuse })
    onFinished(() => endpoint.stop())
    return endpoint
  }
  return { quick: await open(() => backend), slow: await open(() => ({ handler: backend.handler })) }
}

/** Sends pieces one by one, closes its side, and returns all that came back. */
async function converse({ url }: AwsEndpoint, pieces: readonly Buffer[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true })
  // The server may close when it has answered, before all was sent.
  socket.on('error', () => undefined)
  const answer = text(socket)
  await once(socket, 'connect')
  for (const piece of pieces) {
    if (!socket.writable) break
    socket.write(piece)
    // The server, in this process, gets a turn to read.
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  socket.end()
  return answer.catch((error: unknown) => String(error))
}

/** Status, type and body of each answer, without what differs from one time to the next. */
function essence(answers: string): string[] {
  return answers
    .replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, 'ID')
    .split(/(?=HTTP\/1\.1 )/)
    .map((answer) => {
      const [head = '', ...rest] = answer.split('\r\n\r\n')
      const type = /^content-type: .*$/im.exec(head)?.[0]
      const body = /^transfer-encoding: chunked/im.test(head) ? '' : rest.join('')
      return [head.split('\r\n')[0], type, body].join('\n')
    })
}

function post(fields: readonly string[], body: string): string {
  return ['POST / HTTP/1.1', ...fields, '', body].join('\r\n')
}

const HOST = 'Host: 127.0.0.1:4566'
const JSON_TYPE = 'Content-Type: application/x-amz-json-1.0'
const call = (action: string): string => `X-Amz-Target: AmazonSQS.${action}`
const sized = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}`

/** Requests that are read without node:http when they come in one piece. */
const plain = record({
  action: constantFrom('GetQueueUrl', 'GetQueueAttributes', 'ListQueues', 'SendMessage', 'Nothing'),
  body: oneof(
    constantFrom('{"QueueName":"jobs"}', '{"QueueUrl":"http://x/0/jobs"}', '{}', '', '{"Queue'),
    string({ unit: 'grapheme', maxLength: 20 }).map((QueueName) => JSON.stringify({ QueueName })),
  ),
  more: subarray(['Connection: keep-alive', 'Accept: */*', 'authorization:  AWS4 x=y, z=é', 'x-a:\t \t', 'x-b:']),
}).map(({ action, body, more }) => post([...more, HOST, JSON_TYPE, call(action), sized(body)], body))

const BODY = '{"QueueName":"jobs"}'
const GET_URL = [HOST, call('GetQueueUrl')]

/** Requests that only node:http reads, after which the connection goes on. */
const other = constantFrom(
  'GET /?Action=GetQueueUrl&QueueName=jobs HTTP/1.1\r\nHost: x\r\n\r\n',
  'HEAD /?Action=ListQueues HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /000000000000/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 25\r\n\r\nAction=GetQueueAttributes',
  post([...GET_URL, 'Transfer-Encoding: chunked'], `14\r\n${BODY}\r\n0\r\n\r\n`),
  post([...GET_URL, 'Expect: 100-continue', sized(BODY)], BODY),
  post([...GET_URL, call('ListQueues'), sized(BODY)], BODY),
  post(GET_URL, ''),
)

/** What ends a connection: requests that ask for it, malformed ones, and bytes that are none. */
const last = constantFrom(
  post([...GET_URL, 'Connection: close', sized(BODY)], BODY),
  `POST / HTTP/1.0\r\n${HOST}\r\n${call('ListQueues')}\r\nContent-Length: 2\r\n\r\n{}`,
  post([...GET_URL, 'Connection: Upgrade', 'Upgrade: h2c', sized(BODY)], BODY),
  post([...GET_URL, 'Transfer-Encoding: chunked', sized(BODY)], `14\r\n${BODY}\r\n0\r\n\r\n`),
  post([call('GetQueueUrl'), sized(BODY)], BODY),
  post([...GET_URL, HOST, sized(BODY)], BODY),
  post([...GET_URL, sized(BODY), sized(BODY)], BODY),
  post([...GET_URL, 'Content-Length: 0x14'], BODY),
  post([...GET_URL, 'Content-Length: -1'], BODY),
  post([...GET_URL, 'Content-Length: 20\u00a0'], BODY),
  post([...GET_URL, 'Content-Length : 20'], BODY),
  post([...GET_URL, 'x-folded: a\r\n b', sized(BODY)], BODY),
  post([...GET_URL, 'x-null: \0', sized(BODY)], BODY),
  post([...GET_URL, `x-large: ${'a'.repeat(17_000)}`, sized(BODY)], BODY),
  post([...GET_URL, sized(BODY)], BODY).replaceAll('\r\n', '\n'),
  '\r\n',
  '\u0016\u0003\u0001',
)

const cuts = array(nat({ max: 1000 }), { maxLength: 4 })
const conversation = array(oneof({ weight: 4, arbitrary: plain }, other), { minLength: 1, maxLength: 5 })

/** @param at thousandths */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = at.map((each) => Math.floor((each * bytes.length) / 1000)).sort((one, another) => one - another)
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}

test('whatever comes, in whatever pieces, is answered as node:http does', async ({ expect, onTestFinished }) => {
  const { quick, slow } = await twins(onTestFinished)
  const requests = oneof(
    { weight: 2, arbitrary: conversation },
    last.map((request) => [request]),
  )
  await assert(
    asyncProperty(requests, cuts, async (texts, at) => {
      const bytes = Buffer.from(texts.join(''))
      const [answers, expected] = await Promise.all([converse(quick, cut(bytes, at)), converse(slow, [bytes])])
      expect(essence(answers)).toEqual(essence(expected))
    }),
    { numRuns: 150 },
  )
})

test('what SDKs send is plain', async ({ expect, onTestFinished }) => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anything' }
  const sqs = new SQSClient({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, maxAttempts: 1 })
  const asked = sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs' }))
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  const host = `127.0.0.1:${port}`
  const body = '{"QueueName":"jobs"}'
  expect(createPlainReader()(bytes)).toEqual({ target: 'AmazonSQS.GetQueueUrl', host, body, end: bytes.length })
  socket.destroy()
  await expect(asked).rejects.toThrow()
})

test('a reader that has read other requests before reads as a new one does', ({ expect }) => {
  // Heads with the same length and another target, sizes that are wrong, ends that are missing.
  const requests = record({
    body: oneof(constantFrom('{}', '{"a":1}'), string({ maxLength: 12 })),
    action: constantFrom('SendMessage', 'sendMessage', 'ListQueues'),
    more: constantFrom([], ['x: 1'], ['x: 2'], ['Connection: close'], [`x: ${'y'.repeat(2000)}`]),
    size: constantFrom(0, 0, 0, 1, -1),
    lost: constantFrom(0, 0, 0, 1, 30),
  })
  const read = createPlainReader()
  assert(
    property(array(requests, { maxLength: 8 }), (sequence) => {
      for (const { body, action, more, size, lost } of sequence) {
        const length = `Content-Length: ${Buffer.byteLength(body) + size}`
        const whole = Buffer.from(post([HOST, call(action), ...more, length], body))
        const bytes = whole.subarray(0, whole.length - lost)
        expect(read(bytes)).toEqual(createPlainReader()(bytes))
      }
    }),
  )
})

test('who sends far ahead of the answers gets all of them, in order', async ({ expect, onTestFinished }) => {
  const { quick } = await twins(onTestFinished)
  const ask = (name: string): string => {
    const body = JSON.stringify({ QueueUrl: `http://x/0/${name}`, MessageBody: 'work' })
    return post([HOST, call('SendMessage'), sized(body)], body)
  }
  const names = Array.from({ length: 1000 }, (_, index) => (index % 3 === 0 ? 'nobody' : 'jobs'))
  const answers = await converse(quick, [Buffer.from(names.map(ask).join(''))])
  const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  expect(statuses).toEqual(names.map((name) => (name === 'jobs' ? '200' : '400')))
})

test('a plain request is answered without node:http, which would say how long it keeps the connection', async ({
  expect,
  onTestFinished,
}) => {
  const { quick, slow } = await twins(onTestFinished)
  const request = [Buffer.from(post([...GET_URL, sized(BODY)], BODY))]
  expect(await converse(quick, request)).not.toContain('Keep-Alive:')
  // So it does here, or the line above would show nothing.
  const kept = [Buffer.from(post([...GET_URL, 'Connection: keep-alive', sized(BODY)], BODY))]
  expect(await converse(slow, kept)).toContain('Keep-Alive:')
})
