import type { Socket } from 'node:net'
import { trackResp } from './resp-frames.ts'

/** What Redis 7 serves while it loads: the commands that it flags as `loading`, and those with parts that it does. */
const SERVED = new Set(
  `acl auth client command config discard echo exec hello info lastsave latency monitor multi psubscribe publish
  punsubscribe quit readonly readwrite reset role select slowlog spublish ssubscribe subscribe sunsubscribe time
  unsubscribe unwatch watch`.split(/\s+/),
)
const LOADING = Buffer.from('-LOADING Redis is loading the dataset in memory\r\n')
/** What clients look for before they send anything else. */
const PERSISTENCE = '# Persistence\r\nloading:1\r\nloading_eta_seconds:1\r\n'
const INFO = Buffer.from(`$${PERSISTENCE.length}\r\n${PERSISTENCE}\r\n`)

/** Both directions of a connection; each returns what goes on. */
export interface Loading {
  fromClient(chunk: Buffer): Buffer
  fromServer(chunk: Buffer): Buffer
}

/**
 * A connection that was made while the server loads: what it does not serve then is answered here, in its turn among what
 * the server answers.
 */
export function whileLoading(client: Socket, isLoading: () => boolean): Loading {
  /** In the order of the commands: the server's, or ours. */
  const owed: ('server' | Buffer)[] = []
  const commands = cutResp((command, [name = '']) => {
    const answer = isLoading() ? answerTo(name.toLowerCase()) : undefined
    if (answer === undefined) owed.push('server')
    else if (owed.length > 0) owed.push(answer)
    else client.write(answer)
    return answer === undefined ? [command] : []
  })
  const replies = cutResp((reply, _, type) => {
    if (type === '>') return [reply]
    owed.shift()
    const next = owed.indexOf('server')
    // All of them are ours.
    return [reply, ...(owed.splice(0, next < 0 ? owed.length : next) as Buffer[])]
  })
  return { fromClient: commands, fromServer: replies }
}

function answerTo(name: string): Buffer | undefined {
  if (name === 'info') return INFO
  return SERVED.has(name) ? undefined : LOADING
}

/** Replaces each command or reply by what `replace` makes of it; of one that is cut the rest is waited for. */
function cutResp(
  replace: (bytes: Buffer, words: readonly string[], type: string) => readonly Buffer[],
): (chunk: Buffer) => Buffer {
  let begun: Buffer[] = []
  let chunk: Buffer = Buffer.alloc(0)
  let from = 0
  let whole: Buffer[] = []
  const items = trackResp(({ words, end, type }) => {
    const bytes = Buffer.concat([...begun, chunk.subarray(from, end)])
    begun = []
    from = end
    whole.push(...replace(bytes, words, type))
  }, 1)
  return (next) => {
    chunk = next
    from = 0
    whole = []
    items.push(chunk)
    if (from < chunk.length) begun.push(chunk.subarray(from))
    return Buffer.concat(whole)
  }
}
