import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'vitest'
import { createDeferred, exchangeRaw, openSocket, startTestBalancer } from '../../tests/test-balancer.ts'
import type { AccessRecord } from '../../core/events.ts'
import {
  type OnTestFinished,
  TARGET_KINDS,
  type TargetKind,
  createReader,
  startBefore,
  startBeforeRaw,
} from './testing.ts'

const MODES = ['monitor', 'defensive', 'strictest'] as const
type Mode = (typeof MODES)[number]
type Tier = 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe'

interface Case {
  readonly tier: Tier
  readonly reason: string
  readonly text: string
  /** Refused in every mode, because nobody can tell where it ends. */
  readonly isHopeless?: boolean
}

const head = (requestLine: string, ...lines: readonly string[]): string =>
  [requestLine, 'Host: a', ...lines, '', ''].join('\r\n')

const CASES: readonly Case[] = [
  { tier: 'Compliant', reason: '-', text: head('GET / HTTP/1.1') },
  { tier: 'Compliant', reason: '-', text: `${head('POST / HTTP/1.1', 'Content-Length: 2')}ok` },
  {
    tier: 'Compliant',
    reason: '-',
    text: `${head('POST / HTTP/1.1', 'Transfer-Encoding: chunked')}2;a=b\r\nok\r\n0\r\n\r\n`,
  },
  { tier: 'Compliant', reason: '-', text: head('X-CUSTOM / HTTP/1.1') },
  { tier: 'Acceptable', reason: 'GetHeadZeroContentLength', text: head('GET / HTTP/1.1', 'Content-Length: 0') },
  { tier: 'Acceptable', reason: 'NonCompliantHeader', text: head('GET / HTTP/1.1', 'X: caf\u00e9') },
  { tier: 'Acceptable', reason: 'NonCompliantHeader', text: head('GET / HTTP/1.1', 'X : 1') },
  { tier: 'Acceptable', reason: 'NonCompliantVersion', text: head('GET / HTTP/1.3') },
  { tier: 'Acceptable', reason: 'SpaceInUri', text: head('GET /a b HTTP/1.1') },
  { tier: 'Acceptable', reason: 'NonCrLfLineTermination', text: 'GET / HTTP/1.1\nHost: a\n\n' },
  { tier: 'Ambiguous', reason: 'AmbiguousUri', text: head('GET /\u0001 HTTP/1.1') },
  {
    tier: 'Ambiguous',
    reason: 'BothTeClPresent',
    text: `${head('POST / HTTP/1.1', 'Content-Length: 2', 'Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\n`,
  },
  {
    tier: 'Ambiguous',
    reason: 'DuplicateContentLength',
    text: `${head('POST / HTTP/1.1', 'Content-Length: 2', 'Content-Length: 2')}ok`,
  },
  { tier: 'Ambiguous', reason: 'EmptyHeader', text: head('GET / HTTP/1.1', ': 1') },
  { tier: 'Ambiguous', reason: 'MissingHeaderColon', text: head('GET / HTTP/1.1', 'what') },
  { tier: 'Ambiguous', reason: 'MultilineHeader', text: head('GET / HTTP/1.1', 'X: 1', ' folded') },
  { tier: 'Ambiguous', reason: 'SuspiciousHeader', text: head('GET / HTTP/1.1', 'Content_Length: 5') },
  { tier: 'Ambiguous', reason: 'SuspiciousHeader', text: head('GET / HTTP/1.1', 'Transfer-Encoding : chunked') },
  {
    tier: 'Ambiguous',
    reason: 'UndefinedContentLengthSemantics',
    text: `${head('GET / HTTP/1.1', 'Content-Length: 2')}ok`,
  },
  {
    tier: 'Ambiguous',
    reason: 'UndefinedTransferEncodingSemantics',
    text: `${head('GET / HTTP/1.1', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  },
  { tier: 'Severe', reason: 'BadContentLength', text: head('POST / HTTP/1.1', 'Content-Length: +2'), isHopeless: true },
  { tier: 'Severe', reason: 'BadHeader', text: head('GET / HTTP/1.1', 'X: a\0b') },
  { tier: 'Severe', reason: 'BadHeader', text: head('GET / HTTP/1.1', 'X: a\rb') },
  {
    tier: 'Severe',
    reason: 'BadTransferEncoding',
    text: head('POST / HTTP/1.1', 'Transfer-Encoding: xchunked'),
    isHopeless: true,
  },
  { tier: 'Severe', reason: 'BadUri', text: head('GET /\0 HTTP/1.1') },
  { tier: 'Severe', reason: 'BadMethod', text: head('G\u0001T / HTTP/1.1'), isHopeless: true },
  { tier: 'Severe', reason: 'BadVersion', text: head('GET / HTTX/1.1') },
  {
    tier: 'Severe',
    reason: 'MultipleContentLength',
    text: `${head('POST / HTTP/1.1', 'Content-Length: 2', 'Content-Length: 3')}ok`,
  },
  {
    tier: 'Severe',
    reason: 'MultipleTransferEncodingChunked',
    text: `${head('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\n`,
  },
]

const REFUSED: Record<Mode, readonly Tier[]> = {
  monitor: [],
  defensive: ['Severe'],
  strictest: ['Acceptable', 'Ambiguous', 'Severe'],
}

interface Outcome {
  readonly status: number
  readonly closes: boolean
  readonly classification: string
}

/** Sends the bytes, then a plain request: whether that is answered too shows whether the connection has gone on. */
async function ask(kind: TargetKind, mode: Mode, text: string, onTestFinished: OnTestFinished): Promise<Outcome> {
  const options = { onTestFinished, attributes: { desyncMitigationMode: mode } }
  const { port, events } =
    kind === 'network'
      ? (await startBeforeRaw(answerHead, options)).started
      : await startBefore(kind, answerAll, options)
  const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const received = await exchangeRaw(port, text + last, onTestFinished)
  const answers = received.match(/^HTTP\/1\.1 \d+/gm) ?? []
  const record = events.of('alb.access').find(({ access }) => access.path !== '/last')?.access
  return {
    status: Number(answers[0]?.slice('HTTP/1.1 '.length)),
    closes: answers.length === 1,
    classification: toText(record),
  }
}

/** Takes what no library would. */
function answerHead(socket: Socket, text: string): void {
  if (/^[^\n]* HTTP\/1\.1\r\n/.test(text)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
}

const answerAll: RequestListener = (request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'Content-Length': 0 }).end())
}

function toText(record: AccessRecord | undefined): string {
  return `${record?.classification ?? 'Compliant'} ${record?.classificationReason ?? '-'}`
}

describe.for(TARGET_KINDS.flatMap((kind) => MODES.map((mode) => ({ kind, mode }))))(
  '§1.11, $mode, before a target $kind',
  ({ kind, mode }) => {
    test.for(CASES)('$tier, $reason', async ({ tier, reason, text, isHopeless }, { expect, onTestFinished }) => {
      const isRefused = REFUSED[mode].includes(tier) || isHopeless === true
      const refusal = reason === 'BadTransferEncoding' && mode === 'monitor' ? 501 : 400

      const outcome = await ask(kind, mode, text, onTestFinished)

      expect(outcome).toEqual({
        status: isRefused ? refusal : 200,
        closes: isRefused || (mode === 'defensive' && tier === 'Ambiguous'),
        classification: `${tier} ${reason}`,
      })
    })
  },
)

test('item 11: a request with both lengths costs the target’s connection too', async ({ expect, onTestFinished }) => {
  let sent = ''
  const { started, target } = await startBeforeRaw(
    (socket, text) => {
      sent += text
      if (sent.endsWith('\r\n0\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    },
    { onTestFinished },
  )
  const text = CASES.find(({ reason }) => reason === 'BothTeClPresent')?.text ?? ''
  const closed = createDeferred<void>()

  const received = await exchangeRaw(started.port, text, onTestFinished)
  const used = target.connections.at(-1)
  used?.once('close', () => closed.resolve())
  if (used?.closed) closed.resolve()
  await closed.promise

  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*ok$/)
})

test('a target is sent only one length, in words that cannot be misread', async ({ expect, onTestFinished }) => {
  const seen: string[] = []
  const { started } = await startBeforeRaw(
    (socket, text) => {
      seen.push(text)
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    },
    { onTestFinished },
  )
  const body = '2\r\nok\r\n0\r\n\r\n'
  const lines = ['Content-Length: 2', 'Transfer-Encoding: chunked', 'X: 1', ' Transfer-Encoding: identity', 'Y : 2']

  await exchangeRaw(started.port, head('POST /a b HTTP/1.1', ...lines) + body, onTestFinished)

  const [sent = ''] = seen
  expect(sent).toMatch(/^POST \/a b HTTP\/1\.1\r\n/)
  expect(sent.match(/^(?:content-length|transfer-encoding).*$/gim)).toEqual(['Transfer-Encoding: chunked'])
  expect(sent).not.toMatch(/^[ \t]|^\S+[ \t]+:/m)
})

test('an answer that was due before a refused request comes first', async ({ expect, onTestFinished }) => {
  const begun = createDeferred<() => void>()
  const { port } = await startBefore('in-process', (_, response) => begun.resolve(() => void response.end('first')), {
    onTestFinished,
  })
  const socket = await openSocket(port, onTestFinished)
  const reader = createReader(socket)

  socket.write(`${head('GET / HTTP/1.1')}nonsense\r\n\r\n`)
  const finish = await begun.promise
  finish()

  expect(await reader.until('</html>\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*first[^]*HTTP\/1\.1 400 Bad Request\r\n/)
})

test('a refused request does not reach any target', async ({ expect, onTestFinished }) => {
  const { port, events } = await startTestBalancer({ onTestFinished })

  await exchangeRaw(port, head('POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'), onTestFinished)

  expect(events.of('alb.access').map(({ access }) => [access.status, access.target])).toEqual([[400, undefined]])
})
