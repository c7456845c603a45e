import { once } from 'node:events'
import { connect } from 'node:net'

/** A keep-alive connection that costs the load's side next to nothing: one request at a time, bytes made before. */
export interface RawConnection {
  /** Resolves with the milliseconds until the whole answer was there. @throws Error when it is not a 200 */
  exchange(request: Buffer): Promise<number>
  close(): void
}

/** What is read of an answer at once; one that is larger takes several reads. */
const READ_BYTES = 16 * 1024

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  let take: (text: string) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const read = { buffer: Buffer.alloc(READ_BYTES), callback: onRead }
  const socket = connect({ port: Number(port), host: hostname, noDelay: true, onread: read })
  await once(socket, 'connect')
  socket.on('error', (error) => fail(error))

  function onRead(bytes: number): boolean {
    take(read.buffer.toString('latin1', 0, bytes))
    return true
  }

  function exchange(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const from = performance.now()
      let answer = ''
      fail = reject
      take = (text) => {
        answer += text
        if (!isWhole(answer)) return
        if (answer.startsWith('HTTP/1.1 200')) resolve(performance.now() - from)
        else reject(new Error(`The answer is ${answer}`))
      }
      socket.write(request)
    })
  }

  return { exchange, close: () => socket.destroy() }
}

/** The bytes of a POST. */
export function postOf(url: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const { host, pathname } = new URL(url)
  const lines = Object.entries({ host, ...headers, 'content-length': Buffer.byteLength(body) })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`)
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1]
  return headEnd >= 0 && length !== undefined && answer.length >= headEnd + 4 + Number(length)
}
