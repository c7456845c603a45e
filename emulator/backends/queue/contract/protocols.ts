import { createHash } from 'node:crypto'
import { receiveOne, send } from './exchange.ts'
import { askJson, askQuery, element } from './raw.ts'
import { type ContractItem, newQueue } from './world.ts'

const BODY = 'a & b < c "d" äöü'

export const protocols: readonly ContractItem[] = [
  {
    title: 'conformance 23: the JSON protocol answers with its own content type and a request id',
    async check(world) {
      const QueueUrl = await newQueue(world)
      const answer = await askJson(world.endpoint, 'SendMessage', { QueueUrl, MessageBody: BODY })
      world.expect(answer.status).toBe(200)
      world.expect(answer.headers.get('content-type')).toMatch(/^application\/x-amz-json-1\.0/)
      world.expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[\da-f-]{36}$/)
      world.expect(JSON.parse(answer.text)).toMatchObject({ MD5OfMessageBody: md5(BODY) })
    },
  },
  {
    title: 'conformance 23: what is sent by query is received by JSON, attributes included',
    async check(world) {
      const QueueUrl = await newQueue(world)
      const answer = await askQuery(world.endpoint, 'SendMessage', {
        QueueUrl,
        MessageBody: BODY,
        MessageAttributes: { count: { DataType: 'Number', StringValue: '3' } },
      })
      world.expect(answer.status).toBe(200)
      world.expect(answer.headers.get('content-type')).toMatch(/^text\/xml/)
      world.expect(answer.text).toMatch(/^(<\?xml[^>]*>\s*)?<SendMessageResponse/)
      world.expect(element(answer.text, 'MD5OfMessageBody')).toBe(md5(BODY))
      world.expect(element(answer.text, 'RequestId')).toMatch(/^[\da-f-]{36}$/)
      world.expect(await receiveOne(world.sqs, QueueUrl)).toMatchObject({
        MessageId: element(answer.text, 'MessageId'),
        Body: BODY,
        MessageAttributes: { count: { DataType: 'Number', StringValue: '3' } },
      })
    },
  },
  {
    title: 'conformance 23: what is sent by JSON is received by query, attributes included',
    async check(world) {
      const QueueUrl = await newQueue(world)
      await send(world.sqs, QueueUrl, BODY, { MessageAttributes: { a: { DataType: 'String', StringValue: 'x' } } })
      const { text } = await askQuery(world.endpoint, 'ReceiveMessage', {
        QueueUrl,
        AttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      })
      world.expect(element(text, 'MD5OfBody')).toBe(md5(BODY))
      world.expect(unescaped(String(element(text, 'Body')))).toBe(BODY)
      world.expect(text).toMatch(/<Attribute>\s*<Name>ApproximateReceiveCount<\/Name>\s*<Value>1<\/Value>/)
      world.expect(text).toMatch(/<MessageAttribute>\s*<Name>a<\/Name>\s*<Value>/)
    },
  },
  {
    title: 'the query protocol has batches, lists and maps',
    async check(world) {
      const name = world.newName()
      const created = await askQuery(world.endpoint, 'CreateQueue', {
        QueueName: name,
        Attributes: { VisibilityTimeout: '7', DelaySeconds: '0' },
        tags: { team: 'sync' },
      })
      const QueueUrl = String(element(created.text, 'QueueUrl'))
      const batch = await askQuery(world.endpoint, 'SendMessageBatch', {
        QueueUrl,
        Entries: [
          { Id: 'one', MessageBody: 'first' },
          { Id: 'two', MessageBody: 'second', DelaySeconds: 901 },
        ],
      })
      world.expect(batch.text).toMatch(/<SendMessageBatchResultEntry>\s*<Id>one<\/Id>/)
      world.expect(batch.text).toContain('<BatchResultErrorEntry>')
      const attributes = await askQuery(world.endpoint, 'GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })
      world.expect(attributes.text).toMatch(/<Name>VisibilityTimeout<\/Name>\s*<Value>7<\/Value>/)
      const tags = await askQuery(world.endpoint, 'ListQueueTags', { QueueUrl })
      world.expect(tags.text).toMatch(/<Tag>\s*<Key>team<\/Key>\s*<Value>sync<\/Value>/)
    },
  },
  {
    title: 'the query protocol works by GET, and on the address of the queue',
    async check(world) {
      const QueueUrl = await newQueue(world)
      const get = await fetch(`${QueueUrl}?Action=SendMessage&Version=2012-11-05&MessageBody=by+get%21`)
      world.expect(get.status).toBe(200)
      await get.text()
      world.expect((await receiveOne(world.sqs, QueueUrl)).Body).toBe('by get!')
    },
  },
  {
    title: 'the host of a queue URL does not matter',
    async check(world) {
      const { pathname } = new URL(await newQueue(world))
      const QueueUrl = `https://sqs.us-east-1.amazonaws.com${pathname}`
      world.expect((await askJson(world.endpoint, 'SendMessage', { QueueUrl, MessageBody: 'x' })).status).toBe(200)
    },
  },
  {
    title: 'an unknown action is refused in the query protocol',
    async check(world) {
      const answer = await askQuery(world.endpoint, 'ListenToQueue', {})
      world.expect(answer.status).toBe(400)
      world.expect(element(answer.text, 'Code')).toBe('InvalidAction')
      world.expect(element(answer.text, 'Type')).toBe('Sender')
    },
  },
]

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

function unescaped(xml: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return xml
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => named[name] ?? '')
}
