import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Clock } from '../../../services/wire/clock.ts'
import type { EventStream } from '../../core/events.ts'

/** Where a relay stands, and what it stands before. */
export interface RelayOptions {
  /** Of the backend, as the system calls it. */
  readonly name: string
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** URL of the present primary; asked for each connection. */
  target(): string
  readonly clock: Clock
  readonly events: EventStream
}

/** Faults that need no knowledge of the protocol. */
export interface Relay {
  /** The stable address, with the target's user, password and database. */
  readonly url: string
  /** Ends every connection, with RST where `reset`. New ones work. */
  drop(how?: { readonly reset?: boolean }): void
  /** Says nothing more on any connection, old or new, as a node that is gone; after the time all of these are reset. */
  blackHole(durationMs: number): void
  stop(): Promise<void>
}

/** One client and, once it is connected, its connection to the primary. */
export interface Link {
  readonly client: Socket
  server: Socket | undefined
  isSilent: boolean
}

export interface RelayCore<L extends Link> extends Relay {
  readonly links: ReadonlySet<L>
  /** Connects to the present target and passes everything on. */
  splice(link: L, taps?: Taps): void
}

/** What a protocol sees of the bytes that pass; each returns what goes on. */
export interface Taps {
  fromClient?(chunk: Buffer): Buffer
  fromServer?(chunk: Buffer): Buffer
}

/** Listens and gives every new client to `accept`, unless the relay is silent. */
export async function startRelay<L extends Link>(
  { listen, target, clock }: RelayOptions,
  toLink: (link: Link) => L,
  accept: (link: L) => void,
): Promise<RelayCore<L>> {
  const links = new Set<L>()
  let silences = 0

  const server = createServer({ noDelay: true }, (client) => {
    const link = toLink({ client, server: undefined, isSilent: false })
    links.add(link)
    client.on('error', ignore)
    client.once('close', () => {
      links.delete(link)
      link.server?.destroy()
    })
    if (silences > 0) silence(link)
    else accept(link)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  const { port } = server.address() as AddressInfo

  let stopping: Promise<void> | undefined
  return {
    links,
    get url() {
      const url = new URL(target())
      url.hostname = listen.host
      url.port = String(port)
      return url.href
    },
    splice(link, taps = {}) {
      const { hostname, port: targetPort } = new URL(target())
      const { client } = link
      const upstream = connect({ host: hostname, port: Number(targetPort), noDelay: true })
      link.server = upstream
      upstream.on('error', () => client.resetAndDestroy())
      upstream.once('close', () => {
        // A node that is gone tells nobody that its connections broke.
        if (!link.isSilent) client.destroySoon()
      })
      pass(client, upstream, taps.fromClient)
      pass(upstream, client, taps.fromServer)
    },
    drop({ reset = false } = {}) {
      for (const link of links) end(link.client, reset)
    },
    blackHole(durationMs) {
      silences += 1
      for (const link of links) silence(link)
      clock.after(durationMs, () => {
        silences -= 1
        if (silences > 0) return
        for (const link of links) if (link.isSilent) link.client.resetAndDestroy()
      })
    },
    stop: () =>
      (stopping ??= new Promise((resolve) => {
        server.close(() => resolve())
        for (const { client } of links) client.destroy()
      })),
  }
}

/** Without a tap the bytes are piped: nothing of ours looks at them. */
function pass(from: Socket, to: Socket, tap: ((chunk: Buffer) => Buffer) | undefined): void {
  if (!tap) return void from.pipe(to)
  from.on('data', (chunk: Buffer) => {
    const passed = tap(chunk)
    if (passed.length === 0 || to.writableEnded || to.write(passed)) return
    from.pause()
    to.once('drain', () => from.resume())
  })
  from.once('end', () => to.end())
}

function silence(link: Link): void {
  link.isSilent = true
  const { client, server } = link
  for (const socket of server ? [client, server] : [client]) socket.unpipe().pause()
}

function end(client: Socket, reset: boolean): void {
  if (reset) client.resetAndDestroy()
  else client.destroy()
}

function ignore(): void {}
