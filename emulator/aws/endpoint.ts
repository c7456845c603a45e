import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AwsEndpointDeps {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Answers SQS requests in either protocol. */
  readonly queue: RequestListener
  /** Answers Lambda requests. */
  readonly functions: RequestListener
}

export interface AwsEndpoint {
  /** `http://127.0.0.1:port`: what `--endpoint-url` and AWS_ENDPOINT_URL take. */
  readonly url: string
  /** Ends at once, whatever its clients wait for. */
  stop(): Promise<void>
}

/** Versions of Lambda's API, which begin each of its paths. SQS has one path for all and names its action elsewhere. */
const FUNCTION_PATHS = ['/2015-03-31/', '/2014-11-13/']

/** Longer than clients keep a connection that is not used, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000

/**
 * One server for every AWS API there is. Credentials and signatures are not checked: any will do.
 * @throws Error with code EADDRINUSE when the port is taken
 */
export async function startAwsEndpoint({ host, port, queue, functions }: AwsEndpointDeps): Promise<AwsEndpoint> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const isForFunctions = FUNCTION_PATHS.some((path) => request.url?.startsWith(path))
    const listener = isForFunctions ? functions : queue
    listener(request, response)
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
        server.closeAllConnections()
      }),
  }
}
