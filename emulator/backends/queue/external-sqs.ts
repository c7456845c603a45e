import type { RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { messageOf } from '../../core/errors.ts'
import { ensureQueues } from './ensure-queues.ts'
import type { ExternalQueueOptions } from './external.ts'
import { ACCOUNT_ID, type QueueBackend, type QueueContext } from './port.ts'
import type { Available, Declined } from '../probe.ts'
import { rewriteRequest, rewriteResponse } from './queue-urls.ts'
import { sendSigned } from './send-signed.ts'
import { sqsSource } from './sqs-source.ts'

/** Whether the keys and the address are good for a first request. */
export async function probeExternal(options: ExternalQueueOptions): Promise<Available | Declined> {
  const { url } = options
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return { available: false, reason: 'The URL of the queues is not http://host:port or https://host.' }
  }
  const client = open(options)
  try {
    await client.send(new ListQueuesCommand({ MaxResults: 1 }), { abortSignal: AbortSignal.timeout(PROBE_MS) })
    return { available: true, what: `SQS at ${new URL(url).host}` }
  } catch (error) {
    return { available: false, reason: `SQS at ${new URL(url).host} cannot be used: ${reasonOf(error)}.` }
  } finally {
    client.destroy()
  }
}

export async function startExternal(options: ExternalQueueOptions, { queues }: QueueContext): Promise<QueueBackend> {
  const { url, region } = options
  const client = open(options)
  const ensuring = { arnOf: (queue: string) => arnOf(region, queue), refused: NONE, isUpdating: false }
  const urls = await ensureQueues(client, queues, ensuring)
  return {
    detail: `${new URL(url).host}  SQS external`,
    handler: forwardTo(client, new URL(url).origin),
    source(queue) {
      const found = urls.get(queue)
      if (found === undefined) throw new Error(`The queue ${queue} is not one of the system's.`)
      return sqsSource({ client, url: found, arn: arnOf(region, queue) })
    },
    stop() {
      client.destroy()
      return Promise.resolve()
    },
  }
}

function open({ url, region, variables }: ExternalQueueOptions): SQSClient {
  // Whoever asks tries again by itself: a message must not be sent twice behind its back.
  return new SQSClient({ endpoint: url, region, credentials: credentialsOf(variables), maxAttempts: 1 })
}

const PROBE_MS = 5_000
const NONE: ReadonlySet<string> = new Set()

function arnOf(region: string, queue: string): string {
  return `arn:aws:sqs:${region}:${ACCOUNT_ID}:${queue}`
}

function credentialsOf(variables: ExternalQueueOptions['variables']) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = variables
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return { accessKeyId: 'local', secretAccessKey: 'local' }
  const keys = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY }
  return AWS_SESSION_TOKEN ? { ...keys, sessionToken: AWS_SESSION_TOKEN } : keys
}

/** Clients signed for us; the far end wants the signature of the user's own keys, and its own URLs of queues. */
function forwardTo(client: SQSClient, far: string): RequestListener {
  return (incoming, response) => {
    const near = `http://${incoming.headers.host}`
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const forward = async (): Promise<void> => {
      const body = rewriteRequest((await buffer(incoming)).toString(), { near, far })
      const { method = 'POST', url: path = '/', headers } = incoming
      const answer = await sendSigned(client, { method, path, headers, body }, gone.signal)
      response.writeHead(answer.status, answer.headers).end(rewriteResponse(answer.body, { near, far }))
    }
    forward().catch(() => {
      if (!response.headersSent && !response.destroyed) response.writeHead(BAD_GATEWAY).end()
    })
  }
}

const BAD_GATEWAY = 502

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${PROBE_MS / 1000} s`
  return messageOf(error) || (error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason')
}
