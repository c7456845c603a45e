/** What a live connection says, whoever is asked. */
export interface LiveText {
  readonly text: string
  readonly isFinal: boolean
}

/** How to ask one kind of server for words. */
export interface Dialect {
  /** The words of a file. */
  transcribe(bytes: Uint8Array): Promise<string>
  live(query: string): { readonly url: string; readonly protocols: string[] }
  /** The text in a message of a live connection; undefined in messages without. */
  textOf(message: unknown): LiveText | undefined
}

/** The public API: the whole path through balancer, proxies and speech server. */
export function publicApi(url: string, key: string): Dialect {
  return {
    async transcribe(bytes) {
      const headers = { authorization: `Bearer ${key}`, timestamps: 'true' }
      const answer = await post(`${url}/v1/listen`, bytes, headers)
      return textAt(answer, ['results', 'channels', 0, 'alternatives', 0, 'transcript'])
    },
    live: (query) => ({ url: `${toSocket(url)}/v1/listen?${query}`, protocols: ['token', key] }),
    textOf(message) {
      if (at(message, ['type']) !== 'Results') return undefined
      const text = textAt(message, ['channel', 'alternatives', 0, 'transcript'])
      return { text, isFinal: at(message, ['is_final']) === true }
    },
  }
}

/** A speech server asked directly, in the words of `services/wire/speech.ts`. */
export function speechServer(url: string): Dialect {
  return {
    async transcribe(bytes) {
      return textAt(await post(`${url}/transcribe`, bytes, {}), ['text'])
    },
    live: (query) => ({ url: `${toSocket(url)}/stream?${query}`, protocols: [] }),
    textOf(message) {
      if (at(message, ['type']) !== 'Result') return undefined
      return { text: textAt(message, ['text']), isFinal: at(message, ['isFinal']) === true }
    },
  }
}

async function post(url: string, body: Uint8Array, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: new Uint8Array(body), headers })
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

function toSocket(url: string): string {
  return url.replace(/^http/, 'ws')
}

function textAt(value: unknown, path: readonly (string | number)[]): string {
  const found = at(value, path)
  if (typeof found !== 'string') throw new Error(`There is no text at ${path.join('.')} of ${JSON.stringify(value)}`)
  return found
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    value,
  )
}
