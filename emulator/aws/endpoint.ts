import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { QueueBackend } from '../backends/queue/port.ts'
import { serveQuickly } from './quick-connection.ts'
import { sharingReads } from './shared-reads.ts'

export interface AwsEndpointDeps {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Answers SQS requests in either protocol. While there is none the answer is 503, after which clients try again. */
  readonly queue: () => QueueDoor | undefined
  /** Answers Lambda requests. */
  readonly functions: RequestListener
  /** What other parts tell of themselves, by path below `/_aldea/`. */
  readonly introspection?: ReadonlyMap<string, RequestListener>
}

export type QueueDoor = Pick<QueueBackend, 'handler' | 'answer' | 'introspection'>

export interface AwsEndpoint {
  /** `http://127.0.0.1:port`: what `--endpoint-url` and AWS_ENDPOINT_URL take. */
  readonly url: string
  /** Ends at once, whatever its clients wait for. */
  stop(): Promise<void>
}

/** Versions of Lambda's API, which begin each of its paths. SQS has one path for all and names its action elsewhere. */
const FUNCTION_PATHS = ['/2015-03-31/', '/2014-11-13/']
/** What is ours and no API of AWS. */
const INTROSPECTION_PATH = '/_aldea/'

/** Longer than clients keep a connection that is not used, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000

/**
 * One server for every AWS API there is. Credentials and signatures are not checked: any will do.
 * @throws Error with code EADDRINUSE when the port is taken
 */
export async function startAwsEndpoint(deps: AwsEndpointDeps): Promise<AwsEndpoint> {
  const { host, port, queue, functions, introspection } = deps
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const path = request.url ?? '/'
    if (FUNCTION_PATHS.some((prefix) => path.startsWith(prefix))) return functions(request, response)
    const told = introspection?.get(path.split('?', 1)[0] ?? '')
    if (told) return told(request, response)
    const door = queue()
    if (!door) return answerEmpty(response, 503)
    if (!path.startsWith(INTROSPECTION_PATH)) return door.handler(request, response)
    if (!door.introspection) return answerEmpty(response, 404)
    door.introspection(request, response)
  })
  const sockets = new Set<Socket>()
  // node:http reads a connection as soon as it knows of it: it is told of those that are handed over.
  const readByHttp = server.listeners('connection')
  server.removeAllListeners('connection')
  const handOver = (socket: Socket): void => {
    for (const read of readByHttp) Reflect.apply(read, server, [socket])
  }
  server.on('connection', (accepted) => {
    const socket = sharingReads(accepted)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serveQuickly(socket, { answer: () => queue()?.answer, handOver })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  // It listens on TCP, where an address has a port.
  const bound = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${name}:${bound.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function answerEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status).end()
}
