import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A keep-alive connection that costs the load's side next to nothing: one request at a time, bytes made before. */
export interface RawConnection {
  /** Resolves with the milliseconds until the whole answer was there. @throws Error when it is not a 200 */
  exchange(request: Buffer): Promise<number>
  close(): void
}

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return { exchange: (request) => exchange(socket, request), close: () => socket.destroy() }
}

/** The bytes of a POST. */
export function postOf(url: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const { host, pathname } = new URL(url)
  const lines = Object.entries({ host, ...headers, 'content-length': Buffer.byteLength(body) })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`)
}

function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = performance.now()
    let answer = ''
    const take = (chunk: Buffer): void => {
      answer += chunk.toString('latin1')
      if (!isWhole(answer)) return
      socket.off('data', take).off('error', reject)
      if (answer.startsWith('HTTP/1.1 200')) resolve(performance.now() - from)
      else reject(new Error(`The answer is ${answer}`))
    }
    socket.on('data', take).once('error', reject)
    socket.write(request)
  })
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1]
  return headEnd >= 0 && length !== undefined && answer.length >= headEnd + 4 + Number(length)
}
