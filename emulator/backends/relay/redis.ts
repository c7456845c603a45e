import { type Link, type Relay, type RelayOptions, startRelay } from './relay.ts'
import { traitsOf } from './redis-commands.ts'
import { type Loading, whileLoading } from './redis-loading.ts'
import { type RespItem, type RespTrack, trackResp } from './resp-frames.ts'

/** A stable address before a Redis, and what goes wrong there (aws-behaviour.md §7.1). */
export interface RedisRelay extends Relay {
  /**
   * Every connection is to a replica from now on: waiting commands end with UNBLOCKED, the next write gets READONLY, and
   * either closes the connection, as `close-on-replica-write` does. New connections are to the new primary.
   */
  demote(): void
  /** Every connection ends, and new ones are told for so long that the server is LOADING. */
  reboot(durationMs: number): void
  /** Ends the connections that subscribe. */
  dropSubscribers(): void
  /**
   * A failover of ElastiCache. Planned: until the time is over new connections reach the demoted primary too. Otherwise
   * the node is lost: silence until the time is over.
   */
  failover(failover: RedisFailover): Promise<void>
}

export interface RedisFailover {
  /** In practice 10 to 60 s. */
  readonly durationMs: number
  /** By the API; planned when absent. */
  readonly isPlanned?: boolean | undefined
  /** Nodes, as events name them: `redis-001`. */
  readonly from: string
  readonly successor: string
  /** Makes whatever `target` answers from then on the new primary. */
  promote(): Promise<void>
}

interface RedisLink extends Link {
  role: 'primary' | 'replica'
  /** Commands passed on that have no reply yet. */
  unanswered: number
  /** Whether the last one passed on may block. */
  mayWait: boolean
  isSubscriber: boolean
  /** Said, once everything before it is answered; then the connection ends. */
  lastWords: Buffer | undefined
}

const READONLY = Buffer.from(`-READONLY You can't write against a read only replica.\r\n`)
const UNBLOCKED = Buffer.from(
  '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n',
)
/** As far as BLOCK of XREADGROUP may be: its name, GROUP, group, consumer, COUNT, count. */
const KEPT_WORDS = 7
const NOTHING = Buffer.alloc(0)

/** Starts a relay; it understands RESP 2 and 3. `CLIENT REPLY` it does not, nor encryption. */
export async function startRedisRelay(options: RelayOptions): Promise<RedisRelay> {
  const { name, clock, events } = options
  let loads = 0
  let failovers = 0
  const relay = await startRelay<RedisLink>(
    options,
    (link) => ({
      ...link,
      role: failovers > 0 ? 'replica' : 'primary',
      unanswered: 0,
      mayWait: false,
      isSubscriber: false,
      lastWords: undefined,
    }),
    (link) => splice(link, loads > 0 ? whileLoading(link.client, () => loads > 0) : undefined),
  )

  function splice(link: RedisLink, loading: Loading | undefined): void {
    const replies = trackReplies(link)
    const commands = passCommands(link)
    relay.splice(link, {
      fromClient: (chunk) => commands(loading ? loading.fromClient(chunk) : chunk),
      fromServer(chunk) {
        replies.push(chunk)
        if (link.lastWords && link.unanswered <= 0) setImmediate(sayLastWords, link)
        return loading ? loading.fromServer(chunk) : chunk
      },
    })
  }

  function demote(): void {
    for (const link of relay.links) {
      if (link.isSilent) continue
      link.role = 'replica'
      if (!link.mayWait || link.unanswered !== 1) continue
      link.lastWords = UNBLOCKED
      sayLastWords(link)
    }
  }

  function dropSubscribers(): void {
    for (const { client, isSubscriber } of relay.links) if (isSubscriber) client.destroy()
  }

  function announce(message: string): void {
    events.emit({ type: 'cloud.event', at: clock.now(), source: 'elasticache', subject: name, message })
  }

  return {
    ...relay,
    get url() {
      return relay.url
    },
    demote,
    dropSubscribers,
    reboot(durationMs) {
      loads += 1
      clock.after(durationMs, () => (loads -= 1))
      relay.drop()
    },
    async failover({ durationMs, isPlanned = true, from, successor, promote }) {
      if (isPlanned) announce('Test Failover API called for node group 0001')
      failovers += 1
      try {
        if (isPlanned) {
          demote()
          dropSubscribers()
        } else {
          relay.blackHole(durationMs)
        }
        await clock.sleep(durationMs)
        await promote()
      } finally {
        failovers -= 1
      }
      // The old primary is replaced: whoever still held on to it is cut off.
      for (const { client, role } of relay.links) if (role === 'replica') client.destroy()
      announce(`Failover from primary node ${from} to replica node ${successor} completed`)
      announce('Recovering cache nodes 0001')
      announce('Finished recovery for cache nodes 0001')
    },
  }
}

/** Passes commands on; at a replica only up to the first write, which is answered when all before it are. */
function passCommands(link: RedisLink): (chunk: Buffer) => Buffer {
  let passed = 0
  const commands = trackResp(({ words, end }: RespItem) => {
    if (link.lastWords) return
    const { isWrite, mayWait, isSubscribe } = traitsOf(words)
    if (link.role === 'replica' && isWrite) {
      link.lastWords = READONLY
      if (link.unanswered <= 0) setImmediate(sayLastWords, link)
      return
    }
    link.mayWait = mayWait
    link.unanswered += 1
    link.isSubscriber ||= isSubscribe
    passed = end
  }, KEPT_WORDS)
  return (chunk) => {
    if (link.lastWords) return NOTHING
    passed = 0
    commands.push(chunk)
    return link.lastWords ? chunk.subarray(0, passed) : chunk
  }
}

function trackReplies(link: RedisLink): RespTrack {
  return trackResp(({ type }) => {
    if (type !== '>') link.unanswered -= 1
  })
}

function sayLastWords({ client, server, lastWords }: RedisLink): void {
  if (!lastWords || client.writableEnded) return
  client.end(lastWords)
  server?.destroy()
}
