import {
  ENCRYPTION_REQUEST_BYTES,
  fatalError,
  type MessageTrack,
  readFirstMessage,
  trackMessages,
} from './postgres-frames.ts'
import { type Link, type Relay, type RelayOptions, startRelay } from './relay.ts'

/** A stable address before a PostgreSQL, and what goes wrong there (aws-behaviour.md §7.2). */
export interface PostgresRelay extends Relay {
  /** Ends every connection with FATAL 57P01, at the end of the message that is under way. New ones work. */
  terminate(): void
  /** Every connection ends so, and new ones are refused with FATAL 57P03 for so long. */
  reboot(durationMs: number): void
  /**
   * A failover of RDS: connections end as `planned` says, nobody is let in for the time. Resolves when it is
   * over.
   */
  failover(failover: PostgresFailover): Promise<void>
}

export interface PostgresFailover {
  /** AWS documents 60 to 120 s. */
  readonly durationMs: number
  /** Planned: 57P01, then 57P03. Otherwise the node is lost: silence until the client gives up. Planned when absent. */
  readonly isPlanned?: boolean | undefined
}

interface PostgresLink extends Link {
  readonly messages: MessageTrack
  /** Waiting: for the end of the message that is under way. */
  ending: 'no' | 'waiting' | 'said'
}

const TERMINATING = fatalError('57P01', 'terminating connection due to administrator command')
const STARTING = fatalError('57P03', 'the database system is starting up')
const NOTHING = Buffer.alloc(0)
const NO_ENCRYPTION = Buffer.from('N')

/** Starts a relay; it speaks plain text, as the embedded server does. */
export async function startPostgresRelay(options: RelayOptions): Promise<PostgresRelay> {
  const { name, clock, events } = options
  let refusals = 0
  const relay = await startRelay<PostgresLink>(
    options,
    (link) => ({ ...link, messages: trackMessages(), ending: 'no' }),
    (link) => (refusals > 0 ? refuseLink(link) : splice(link)),
  )

  function splice(link: PostgresLink): void {
    relay.splice(link, {
      fromServer(chunk) {
        if (link.ending === 'said') return NOTHING
        const rest = link.messages.push(chunk)
        if (link.ending === 'no') return chunk
        if (rest === chunk.length && !link.messages.isBetween) return chunk
        // Not before the caller has written what is returned here.
        link.ending = 'said'
        setImmediate(sayGoodbye, link)
        return chunk.subarray(0, rest)
      },
    })
  }

  function terminate(): void {
    for (const link of relay.links) {
      if (link.isSilent || link.ending !== 'no') continue
      link.ending = link.messages.isBetween ? 'said' : 'waiting'
      if (link.ending === 'said') sayGoodbye(link)
    }
  }

  function reboot(durationMs: number): void {
    refusals += 1
    clock.after(durationMs, () => (refusals -= 1))
    terminate()
  }

  function announce(code: string, message: string): void {
    events.emit({ type: 'cloud.event', at: clock.now(), source: 'rds', subject: name, code, message })
  }

  return {
    ...relay,
    get url() {
      return relay.url
    },
    terminate,
    reboot,
    async failover({ durationMs, isPlanned = true }) {
      announce('RDS-EVENT-0013', 'Multi-AZ instance failover started.')
      if (isPlanned) {
        reboot(durationMs)
      } else {
        relay.blackHole(durationMs)
      }
      await clock.sleep(durationMs)
      announce('RDS-EVENT-0006', 'DB instance restarted.')
      announce('RDS-EVENT-0015', 'Multi-AZ failover to standby complete - DNS propagation may take a few minutes.')
      announce('RDS-EVENT-0049', 'Multi-AZ instance failover completed.')
    },
  }
}

function sayGoodbye({ client, server }: PostgresLink): void {
  server?.unpipe().pause()
  client.end(TERMINATING)
  // The transaction under way rolls back.
  server?.destroy()
}

/** A server that starts hears a client out, and only then says why not. */
function refuseLink({ client }: PostgresLink): void {
  let received = Buffer.alloc(0)
  client.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (readFirstMessage(received) === 'encryption') {
      received = received.subarray(ENCRYPTION_REQUEST_BYTES)
      client.write(NO_ENCRYPTION)
    }
    if (readFirstMessage(received) === 'startup') client.end(STARTING)
  })
}
