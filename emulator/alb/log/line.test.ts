import { test } from 'vitest'
import type { AccessRecord } from '../../core/events.ts'
import { createAwsNames } from '../names.ts'
import { toLogLine } from './line.ts'

const names = createAwsNames({ name: 'my-loadbalancer', region: 'us-east-2', accountId: '123456789012' })
const END = Date.parse('2018-07-02T22:23:00.186Z')
const ARN = names.targetGroupArn('my-targets')
const TRACE_ID = 'Root=1-58337262-36d228ad5d99923122bbe354'

/** The first line of AWS's own documentation, with milliseconds. */
const plain: AccessRecord = {
  kind: 'http',
  client: '192.168.131.39:2817',
  node: 0,
  nodeAddress: '10.0.0.5',
  listenerPort: 80,
  method: 'GET',
  host: 'www.example.com',
  path: '/',
  url: '/',
  authority: 'www.example.com',
  httpVersion: '1.1',
  userAgent: 'curl/7.46.0',
  rule: 'default',
  action: 'forward',
  redirectUrl: undefined,
  targetGroup: 'my-targets',
  target: '10.0.0.1',
  targetAddress: '10.0.0.1:80',
  status: 200,
  targetStatus: 200,
  receivedBytes: 34,
  sentBytes: 366,
  startedAt: END - 1,
  routedAt: END - 1,
  answeredAt: END,
  durationMs: 1,
  traceId: TRACE_ID,
  connectionTraceId: 'TID_1234abcd5678ef901234abcd5678ef90',
  tls: undefined,
  isFailOpen: false,
  isNonSticky: false,
  failure: undefined,
  errorReason: undefined,
  classification: undefined,
  classificationReason: undefined,
  transformedHost: undefined,
  transformedUrl: undefined,
}

const lineOf = (changes: Partial<AccessRecord>): string => toLogLine({ ...plain, ...changes }, END, names)
/** As parsers split it; field 1 is the first. */
const fieldsOf = (line: string): string[] => line.match(/"[^"]*"|\S+/g) ?? []
const field = (line: string, number: number): string | undefined => fieldsOf(line)[number - 1]
const fields = (line: string, from: number, to: number): string =>
  fieldsOf(line)
    .slice(from - 1, to)
    .join(' ')

test('a line has the 34 fields in the order of AWS', ({ expect }) => {
  expect(lineOf({})).toBe(
    `http 2018-07-02T22:23:00.186000Z ${names.loadBalancer} 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 ` +
      `"GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - ${ARN} "${TRACE_ID}" "-" "-" 0 ` +
      `2018-07-02T22:23:00.185000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" ` +
      `TID_1234abcd5678ef901234abcd5678ef90 "-" "-" "-" 10.0.0.5`,
  )
  expect(fieldsOf(lineOf({}))).toHaveLength(34)
})

test('over TLS a line has cipher, protocol, name and certificate, or says that a session was reused', ({ expect }) => {
  const tls = {
    cipher: 'ECDHE-RSA-AES128-GCM-SHA256',
    protocol: 'TLSv1.2',
    serverName: 'www.example.com',
    certificateArn: 'arn:aws:acm:us-east-2:123456789012:certificate/1',
    isReused: false,
  }
  const line = lineOf({ kind: 'h2', httpVersion: '2.0', listenerPort: 443, tls })
  expect(field(line, 1)).toBe('h2')
  expect(field(line, 13)).toBe('"GET https://www.example.com:443/ HTTP/2.0"')
  expect(fields(line, 15, 16)).toBe('ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2')
  expect(fields(line, 19, 20)).toBe('"www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/1"')
  expect(field(lineOf({ kind: 'https', tls: { ...tls, isReused: true } }), 20)).toBe('"session-reused"')
})

test('a WebSocket is ws or wss, its request is http or https, its answer took no time', ({ expect }) => {
  const socket = {
    kind: 'wss',
    status: 101,
    targetStatus: 101,
    url: '/v1/listen',
    authority: 'api.localhost:8443',
  } as const
  const line = lineOf({ ...socket, startedAt: END - 60_000, routedAt: END - 60_000, answeredAt: END - 59_997 })
  expect(fields(line, 6, 10)).toBe('0.000 0.003 0.000 101 101')
  expect(field(line, 13)).toBe('"GET https://api.localhost:8443/v1/listen HTTP/1.1"')
  expect(field(line, 22)).toBe('2018-07-02T22:22:00.186000Z')
})

interface Kind {
  readonly title: string
  readonly changes: Partial<AccessRecord>
  /** Fields 5 to 10. */
  readonly expected: string
}

const unanswered = { targetStatus: undefined, answeredAt: undefined, startedAt: END - 4_206, routedAt: END - 4_205 }
const unrouted = { ...unanswered, routedAt: undefined, target: undefined, targetAddress: undefined }

test.for<Kind>([
  {
    title: 'a target that closed in the middle has the time until then',
    changes: { ...unanswered, status: 502 },
    expected: '10.0.0.1:80 0.001 4.205 -1 502 -',
  },
  { title: 'a time-out has none', changes: { ...unanswered, status: 504 }, expected: '10.0.0.1:80 0.001 -1 -1 504 -' },
  {
    title: 'a client that left is a 460',
    changes: { ...unanswered, status: 460 },
    expected: '10.0.0.1:80 0.001 -1 -1 460 -',
  },
  { title: 'no target at all', changes: { ...unrouted, status: 503 }, expected: '- -1 -1 -1 503 -' },
  {
    title: 'a task of this process goes by its id',
    changes: { target: '3f2a', targetAddress: undefined, answeredAt: undefined },
    expected: '3f2a:0 0.000 0.001 0.000 200 200',
  },
])('$title', ({ changes, expected }, { expect }) => {
  expect(fields(lineOf(changes), 5, 10)).toBe(expected)
})

test('a redirect has its URL, a rewritten request both of its new parts', ({ expect }) => {
  const redirected = lineOf({ ...unrouted, rule: 10, status: 301, action: 'redirect', redirectUrl: 'https://a:443/p' })
  expect(fields(redirected, 21, 25)).toBe('10 2018-07-02T22:22:55.980000Z "redirect" "https://a:443/p" "-"')
  const rewritten = lineOf({ transformedHost: 'b.example.com', transformedUrl: '/new' })
  expect(fields(rewritten, 31, 33)).toBe('"b.example.com" "/new" "TransformSuccess"')
})

test('what was no request has placeholders', ({ expect }) => {
  const nothing = { method: '-', url: '-', authority: '-', httpVersion: '-', userAgent: undefined, traceId: '-' }
  const line = lineOf({
    ...unrouted,
    ...nothing,
    status: 400,
    rule: undefined,
    action: undefined,
    targetGroup: undefined,
  })
  expect(fields(line, 13, 21)).toBe('"- http://10.0.0.5:80- -" "-" - - - "-" "-" "-" -')
  expect(field(line, 23)).toBe('"-"')
})

test('no client can break a line or a field', ({ expect }) => {
  const line = lineOf({ userAgent: 'a"b\\c\nd é', url: '/"x"' })
  expect(field(line, 14)).toBe(String.raw`"a\x22b\x5Cc\x0Ad \xE9"`)
  expect(field(line, 13)).toBe(String.raw`"GET http://www.example.com:80/\x22x\x22 HTTP/1.1"`)
  expect(fieldsOf(line)).toHaveLength(34)
  expect(field(lineOf({ userAgent: 'a'.repeat(9_000) }), 14)).toHaveLength(8 * 1024 + 2)
})

test('of a request that breaks a rule of HTTP the line says which', ({ expect }) => {
  expect(
    fields(lineOf({ classification: 'Ambiguous', classificationReason: 'UndefinedTransferEncodingSemantics' }), 28, 29),
  ).toBe('"Ambiguous" "UndefinedTransferEncodingSemantics"')
})

/** The expression by which AWS's own documentation has Athena read these files. */
const ATHENA =
  /^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) (.*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^ ]*)" "([^\s]+?)" "([^\s]+)" "([^ ]*)" "([^ ]*)" ?([^ ]*)? ?( .*)?$/

test('Athena reads every kind of line', ({ expect }) => {
  const nothing = { method: '-', url: '-', authority: '-', httpVersion: '-', userAgent: undefined, traceId: '-' }
  const tls = {
    cipher: 'TLS_AES_256_GCM_SHA384',
    protocol: 'TLSv1.3',
    serverName: 'a',
    certificateArn: 'arn:1',
    isReused: false,
  }
  const lines = [
    lineOf({}),
    lineOf({ kind: 'h2', tls }),
    lineOf({ ...unrouted, status: 503 }),
    lineOf({ ...unrouted, ...nothing, status: 400, rule: undefined, action: undefined, targetGroup: undefined }),
    lineOf({ target: '3f2a', targetAddress: undefined }),
    lineOf({ userAgent: 'a "b" c', url: '/a b', transformedUrl: '/c' }),
  ]
  const read = lines.map((line) => ATHENA.exec(line))
  expect(read.map((groups) => groups?.[12])).toEqual(['200', '200', '-', '-', '200', '200'])
  expect(read[1]?.[19]).toBe('TLS_AES_256_GCM_SHA384')
  expect(read[3]?.[11]).toBe('400')
  expect(read[5]?.[18]).toBe(String.raw`a \x22b\x22 c`)
})
