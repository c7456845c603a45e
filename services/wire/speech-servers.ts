import { Type } from 'typebox'

/** A speech server as the proxies know it. */
export interface SpeechServer {
  readonly name: string
  /** `http://host:port`, no path. */
  readonly origin: string
}

/** `STT_SERVERS`: `name=http://host:port`, several separated by commas. */
export const SpeechServersVariable = Type.String({
  pattern: '^[^=,\\s]+=https?://[^,\\s]+(,[^=,\\s]+=https?://[^,\\s]+)*$',
  description: 'Speech servers, in turn: name=http://host:port,…',
})

export function parseSpeechServers(variable: string): SpeechServer[] {
  return variable.split(',').map((entry) => {
    const separator = entry.indexOf('=')
    return { name: entry.slice(0, separator), origin: new URL(entry.slice(separator + 1)).origin }
  })
}

/** Round robin: each call lists all servers in the order to try them, beginning one further than the last call. */
export function createTurns(servers: readonly SpeechServer[]): () => SpeechServer[] {
  let first = -1
  return () => {
    first = (first + 1) % servers.length
    return [...servers.slice(first), ...servers.slice(0, first)]
  }
}
