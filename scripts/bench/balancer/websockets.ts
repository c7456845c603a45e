import { type Socket, connect } from 'node:net'
import { systemClock } from '../../../services/wire/clock.ts'

const HANDSHAKE =
  'GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const TEXT = 'x'.repeat(20)
/** Masked with nothing, as a client's frames have to be. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | TEXT.length, 0, 0, 0, 0]), Buffer.from(TEXT)])
const ECHO_BYTES = 2 + TEXT.length

/** One WebSocket to a server that sends back what it gets. */
export interface EchoSocket {
  /** Resolves with the milliseconds until the echo has come. */
  roundTrip(): Promise<number>
  close(): void
}

export async function openEchoSockets(url: string, count: number): Promise<readonly EchoSocket[]> {
  const sockets: EchoSocket[] = []
  for (let index = 0; index < count; index += 1) sockets.push(await openEchoSocket(url))
  return sockets
}

/** Every socket sends again as soon as its echo is there. Returns the round trips of all of them. */
export async function countRoundTrips(sockets: readonly EchoSocket[], seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000
  let count = 0
  const run = async (socket: EchoSocket): Promise<void> => {
    for (; performance.now() < end; count += 1) await socket.roundTrip()
  }
  await Promise.all(sockets.map(run))
  return count
}

/** Every socket sends once a second, one after the other. Returns each round trip in milliseconds. */
export async function paceRoundTrips(sockets: readonly EchoSocket[], seconds: number): Promise<readonly number[]> {
  const trips: number[] = []
  const run = async (socket: EchoSocket, index: number): Promise<void> => {
    await systemClock.sleep((index / sockets.length) * 1000)
    for (let second = 0; second < seconds; second += 1) {
      const ms = await socket.roundTrip()
      trips.push(ms)
      await systemClock.sleep(Math.max(0, 1000 - ms))
    }
  }
  await Promise.all(sockets.map(run))
  return trips
}

function openEchoSocket(url: string): Promise<EchoSocket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let left = 0
    let done: () => void = () => undefined
    let head = ''
    const onHead = (bytes: Buffer): void => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      if (!head.startsWith('HTTP/1.1 101 ')) return reject(new Error(`No WebSocket: ${head}`))
      socket.off('data', onHead).on('data', onEcho)
      resolve({ roundTrip, close: () => void socket.destroy() })
    }
    const onEcho = (bytes: Buffer): void => {
      left -= bytes.length
      if (left <= 0) done()
    }
    const roundTrip = (): Promise<number> =>
      new Promise((arrived) => {
        const sentAt = performance.now()
        left = ECHO_BYTES
        done = () => arrived(performance.now() - sentAt)
        socket.write(FRAME)
      })
    socket.on('data', onHead).on('error', reject)
    socket.write(HANDSHAKE)
  })
}
