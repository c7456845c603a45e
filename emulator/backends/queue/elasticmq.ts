import { Agent, request, type RequestListener } from 'node:http'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { ContainerOptions } from '../container/options.ts'
import { startContainer } from '../container/start-container.ts'
import { ensureQueues } from './ensure-queues.ts'
import { ACCOUNT_ID, type QueueBackend, type QueueContext } from './port.ts'
import { sqsSource } from './sqs-source.ts'

const ELASTICMQ_PORT = 9324
/** ElasticMQ answers them with an error. */
const REFUSED: ReadonlySet<string> = new Set(['SqsManagedSseEnabled', 'RedriveAllowPolicy'])

/** Runs ElasticMQ with the queues of the system, which it keeps in memory. */
export async function startElasticMq(context: QueueContext, options: ContainerOptions): Promise<QueueBackend> {
  const { region, queues, stateDir, log } = context
  const image = options.images.queue
  const running = await startContainer(
    {
      service: 'queue',
      image,
      // With any other address the URLs of its queues would name a host that the client has not asked.
      command: ['-Dnode-address.host=*', `-Daws.region=${region}`, `-Daws.accountId=${ACCOUNT_ID}`],
      environment: () => ({}),
      containerPort: ELASTICMQ_PORT,
      port: 0,
      dataFolder: undefined,
      ready: /started in \d+ ms/,
      stateDir,
      log,
    },
    options,
  )
  const arnOf = (queue: string): string => `arn:aws:sqs:${region}:${ACCOUNT_ID}:${queue}`
  const endpoint = `http://127.0.0.1:${running.port}`
  // It checks no signature.
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new SQSClient({ endpoint, region, credentials })
  try {
    await ensureQueues(client, queues, { arnOf, refused: REFUSED, isUpdating: true })
  } catch (error) {
    client.destroy()
    await running.remove()
    throw error
  }
  const agent = new Agent({ keepAlive: true })
  return {
    detail: `127.0.0.1:${running.port}  ${image} container`,
    handler: proxyTo(running.port, agent),
    source: (queue) => sqsSource({ client, url: `${endpoint}/${ACCOUNT_ID}/${queue}`, arn: arnOf(queue) }),
    async stop() {
      client.destroy()
      agent.destroy()
      await running.stop()
    },
  }
}

/** Hands requests over as they are, `Host` included, from which ElasticMQ makes the URLs of queues. */
function proxyTo(port: number, agent: Agent): RequestListener {
  return (incoming, response) => {
    const { method, url, headers } = incoming
    const forwarded = request({ host: '127.0.0.1', port, agent, method, path: url, headers })
    forwarded.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? BAD_GATEWAY, answer.headers)
      answer.pipe(response)
    })
    forwarded.once('error', () => {
      if (response.headersSent) return void response.destroy()
      response.writeHead(BAD_GATEWAY).end()
    })
    // A long poll must not go on for a client that is gone: it would take a message with it.
    response.once('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  }
}

const BAD_GATEWAY = 502
