import { spawn } from 'node:child_process'
import { appendFile, copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { constantFrom, sample, string } from 'fast-check'
import { test } from 'vitest'
import { systemClock } from '../../../../services/wire/clock.ts'
import { systemIds } from '../../../../services/wire/ids.ts'
import { makeQueue } from './queues.ts'
import { send } from './send.ts'
import { connected, spec, started, temporary, urlOf } from './testing.ts'
import { openStore } from './store.ts'
import { remove } from './shelf.ts'

const QUEUES = [spec('jobs'), spec('jobs.fifo', { ContentBasedDeduplication: 'true' })]

test('what was accepted is there after kill -9', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', SENDER], {
    env: { ...process.env, STATE: stateDir, TESTING: pathToFileURL(join(import.meta.dirname, 'testing.ts')).href },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const accepted: string[] = []
  for await (const line of createInterface(child.stdout)) {
    accepted.push(line)
    if (accepted.length === ENOUGH) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')

  const backend = await started({ stateDir, queues: [spec('jobs')] }, onTestFinished)
  const kept = new Set(backend.peek('jobs', Number.POSITIVE_INFINITY).map((message) => message.messageId))
  expect(accepted.filter((id) => !kept.has(id))).toEqual([])
})

const ENOUGH = 200

/** Sends without end and prints each id that was answered. */
const SENDER = `
  import { writeSync } from 'node:fs'
  const { started, connected, urlOf, spec } = await import(process.env.TESTING)
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs')
  const backend = await started({ stateDir: process.env.STATE, queues: [spec('jobs')] }, () => {})
  const sqs = await connected(backend, () => {})
  const loop = async () => {
    for (;;) {
      const sent = await sqs.send(new SendMessageCommand({ QueueUrl: urlOf('jobs'), MessageBody: 'work' }))
      writeSync(1, sent.MessageId + '\\n')
    }
  }
  await Promise.all([loop(), loop(), loop(), loop()])
`

test('a restart keeps messages, deletions and attributes; what was in flight is visible', async ({
  expect,
  onTestFinished,
}) => {
  const stateDir = await temporary(onTestFinished)
  const before = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const sqs = await connected(before, onTestFinished)
  const QueueUrl = urlOf('jobs')
  const attributes = { kind: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) } }
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'deleted' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'kept ü\n', MessageAttributes: attributes }))
  const first = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first.Messages?.[0]?.ReceiptHandle }))
  const second = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  await before.stop()

  const after = await started({ stateDir, queues: QUEUES }, onTestFinished)
  expect(after.inspect()).toMatchObject([{ name: 'jobs', visible: 1, inFlight: 0 }, { name: 'jobs.fifo' }])
  const again = await connected(after, onTestFinished)
  const third = await again.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'], VisibilityTimeout: 0 }),
  )
  expect(third.Messages?.[0]).toMatchObject({ Body: 'kept ü\n', MessageId: second.Messages?.[0]?.MessageId })
  expect(Buffer.from(third.Messages?.[0]?.MessageAttributes?.['kind']?.BinaryValue ?? [])).toEqual(
    Buffer.from([0, 255]),
  )
  expect(after.peek('jobs', 1)[0]?.receiveCount).toBe(2)
})

test('bodies of whatever characters are the same after a restart', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const before = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const unit = constantFrom('a', ' ', '"', '\\', '\t', '\n', '\u007f', '\u0080', 'é', '\u2028', '😀', '\ufffd')
  const bodies = sample(string({ unit, minLength: 1 }), 300)
  const escaped = (text: string): string => text.replaceAll('a', String.raw`\u0061`)
  let answered = 0
  for (const [index, MessageBody] of bodies.entries()) {
    const body = JSON.stringify({ QueueUrl: urlOf('jobs'), MessageBody })
    const content = { target: 'AmazonSQS.SendMessage', url: '/', host: 'x', signal: neverAsked }
    // Clients may escape what need not be.
    before.answer?.({ ...content, body: index % 2 === 0 ? body : escaped(body) }, ({ status }) => {
      if (status === 200) answered += 1
    })
  }
  await before.stop()
  expect(answered).toBe(bodies.length)

  const after = await started({ stateDir, queues: QUEUES }, onTestFinished)
  expect(after.peek('jobs', Number.POSITIVE_INFINITY).map(({ body }) => body)).toEqual(bodies)
})

function neverAsked(): never {
  throw new Error('Only who waits asks whether the client has gone.')
}

test('a handle from before a crash still deletes', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const before = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const sqs = await connected(before, onTestFinished)
  const QueueUrl = urlOf('jobs')
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'work' }))
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  const crashed = await temporary(onTestFinished)
  await copyFile(join(stateDir, 'queues.jsonl'), join(crashed, 'queues.jsonl'))

  const after = await started({ stateDir: crashed, queues: QUEUES }, onTestFinished)
  await after.source('jobs').delete([Messages?.[0]?.ReceiptHandle ?? ''])
  expect(after.peek('jobs', 10)).toEqual([])
})

test('a FIFO queue knows its duplicates after a restart, deleted ones too', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const message = { QueueUrl: urlOf('jobs.fifo'), MessageBody: 'once', MessageGroupId: 'g' }
  const before = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const sqs = await connected(before, onTestFinished)
  const sent = await sqs.send(new SendMessageCommand(message))
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: message.QueueUrl }))
  await before.source('jobs.fifo').delete([Messages?.[0]?.ReceiptHandle ?? ''])
  await before.stop()

  const after = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const again = await connected(after, onTestFinished)
  const repeated = await again.send(new SendMessageCommand(message))
  expect(repeated).toMatchObject({ MessageId: sent.MessageId, SequenceNumber: sent.SequenceNumber })
  expect(after.peek('jobs.fifo', 1)).toEqual([])
})

test('a torn last line is dropped, and what comes after it is kept', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const path = join(stateDir, 'queues.jsonl')
  const first = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const sqs = await connected(first, onTestFinished)
  await sqs.send(new SendMessageCommand({ QueueUrl: urlOf('jobs'), MessageBody: 'one' }))
  await first.stop()
  await appendFile(path, '["send","half a li')

  const second = await started({ stateDir, queues: QUEUES }, onTestFinished)
  const other = await connected(second, onTestFinished)
  await other.send(new SendMessageCommand({ QueueUrl: urlOf('jobs'), MessageBody: 'two' }))
  await second.stop()
  const third = await started({ stateDir, queues: QUEUES }, onTestFinished)
  expect(third.peek('jobs', 10).map((message) => message.body)).toEqual(['one', 'two'])
})

test('a damaged line within is named, and nothing is thrown away', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const path = join(stateDir, 'queues.jsonl')
  const text = '["serial",7]\nnot a record\n["serial",8]\n'
  await writeFile(path, text)
  await expect(async () => started({ stateDir, queues: [] }, onTestFinished)).rejects.toMatchObject({
    code: 'ALDEA_STATE_MISMATCH',
    message: `Line 2 of ${path} is damaged.`,
  })
  expect(await readFile(path, 'utf8')).toBe(text)
})

test('the file is rewritten when most of it no longer counts', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const journalPath = join(stateDir, 'queues.jsonl')
  const options = { clock: systemClock, ids: systemIds, region: 'us-east-1', journalPath, compactAboveBytes: 20_000 }
  const store = openStore(options)
  const queue = makeQueue(store, 'jobs', {}, {})
  const written = (): Promise<unknown> => new Promise((resolve) => store.journal.whenWritten(resolve))
  send(store, queue, { body: 'stays' })
  for (let count = 0; count < 400; count += 1) {
    send(store, queue, { body: 'x'.repeat(500) })
    const last = [...queue.messages.values()].at(-1)
    if (last) {
      remove(queue, last)
      store.journal.append(['remove', queue.uid, last.serial])
    }
    await written()
  }
  // 400 messages of 500 bytes went through.
  expect((await stat(journalPath)).size).toBeLessThan(45_000)
  const next = openStore(options)
  expect([...(next.queues.get('jobs')?.messages.values() ?? [])].map((message) => message.body)).toEqual(['stays'])
  expect(next.nextSerial()).toBeGreaterThan(400)
  store.journal.close()
  next.journal.close()
})
