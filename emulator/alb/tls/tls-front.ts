import { type Server, type Socket, createServer } from 'node:net'
import { type SecureContext, type TLSSocket, createSecureContext, createServer as createTlsServer } from 'node:tls'
import type { TlsFacts } from '../connection.ts'
import type { Certificate, TlsConfig } from '../model.ts'

export interface TlsFrontOptions extends TlsConfig {
  /** Whether clients are offered HTTP/2. */
  readonly hasHttp2: boolean
  readonly onHttp1: (socket: TLSSocket, facts: TlsFacts) => void
  readonly onHttp2: (socket: TLSSocket, facts: TlsFacts) => void
  /** Something that does not begin like TLS; most often HTTP without it. */
  readonly onPlain: (socket: Socket) => void
  /** A handshake that came to nothing. */
  readonly onFailure: () => void
}

export interface TlsFront {
  readonly server: Server
  /** Ends every connection at once. */
  stop(): void
}

/** As the usual policy `ELBSecurityPolicy-TLS13-1-2-2021-06` has it. */
const OLDEST_PROTOCOL = 'TLSv1.2'

/** The type of a TLS record that carries a handshake. */
const HANDSHAKE_RECORD = 0x16

/**
 * What listens in the place of an HTTP server: it shakes hands, with the certificate that the client's server name asks
 * for, and hands on what has been agreed on. It counts as its own the connections it has taken, until they end.
 */
export async function createTlsFront(options: TlsFrontOptions): Promise<TlsFront> {
  const { certificateFor, hasHttp2, onHttp1, onHttp2, onPlain, onFailure } = options
  const contexts = new WeakMap<Certificate, SecureContext>()
  const taken = new Set<Socket>()
  let usual = await certificateFor(undefined)

  const tls = createTlsServer({
    cert: usual.cert,
    key: usual.key,
    minVersion: OLDEST_PROTOCOL,
    ALPNProtocols: hasHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    SNICallback: (serverName, done) => {
      certificateFor(serverName).then((certificate) => done(null, toContext(certificate)), done)
    },
  })
  tls.on('secureConnection', (socket) => {
    void handOn(socket).catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined))
  })
  tls.on('tlsClientError', (_error, socket) => {
    onFailure()
    socket.destroy()
  })

  async function handOn(socket: TLSSocket): Promise<void> {
    const { arn } = await certificateFor(serverNameOf(socket))
    if (socket.destroyed) return
    const facts: TlsFacts = {
      cipher: socket.getCipher().name,
      protocol: socket.getProtocol() ?? '-',
      serverName: serverNameOf(socket),
      certificateArn: arn,
      isReused: socket.isSessionReused(),
    }
    if (socket.alpnProtocol === 'h2') onHttp2(socket, facts)
    else onHttp1(socket, facts)
  }

  function toContext(certificate: Certificate): SecureContext {
    const known = contexts.get(certificate)
    if (known) return known
    const context = createSecureContext({ cert: certificate.cert, key: certificate.key, minVersion: OLDEST_PROTOCOL })
    contexts.set(certificate, context)
    return context
  }

  /** A client without a server name gets the server's own certificate, which may have been renewed meanwhile. */
  async function renewUsual(): Promise<void> {
    const current = await certificateFor(undefined)
    if (current === usual) return
    usual = current
    tls.setSecureContext({ cert: current.cert, key: current.key, minVersion: OLDEST_PROTOCOL })
  }

  async function take(socket: Socket): Promise<void> {
    taken.add(socket)
    socket.once('close', () => taken.delete(socket))
    // It may be reset before anybody else cares.
    socket.on('error', () => undefined)
    const isTls = await startsLikeTls(socket)
    if (isTls === undefined) return void socket.destroy()
    if (!isTls) return onPlain(socket)
    await renewUsual()
    tls.emit('connection', socket)
  }

  const server = createServer({ noDelay: true }, (socket) => {
    void take(socket).catch(() => socket.destroy())
  })
  return {
    server,
    stop() {
      for (const socket of taken) socket.destroy()
    },
  }
}

/** TypeScript's types have `false` for none only. */
function serverNameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as { servername?: string | false | null }
  return typeof servername === 'string' ? servername : undefined
}

/** Looks at the first byte and puts it back; undefined when there is none. */
function startsLikeTls(socket: Socket): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const first = socket.read(1) as Buffer | null
      socket.off('readable', look)
      socket.off('close', look)
      if (first === null) return resolve(undefined)
      socket.unshift(first)
      resolve(first[0] === HANDSHAKE_RECORD)
    }
    socket.on('readable', look)
    socket.on('close', look)
  })
}
