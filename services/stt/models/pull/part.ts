import { readFile, rm, stat, writeFile } from 'node:fs/promises'

/** What is known of the file whose first bytes are there. */
export interface PartState {
  readonly url: string
  /** A strong ETag, or the date of the last change; undefined when the server gave neither. */
  readonly validator: string | undefined
  readonly totalBytes: number | undefined
}

/** The bytes that have come, and beside them what they are of. */
export interface Part {
  readonly path: string
  state(): Promise<PartState | undefined>
  remember(state: PartState): Promise<void>
  forget(): Promise<void>
}

export function openPart(file: string): Part {
  const path = `${file}.part`
  const statePath = `${path}.json`
  return {
    path,
    async state() {
      const text = await readFile(statePath, 'utf8').catch(() => undefined)
      return text === undefined ? undefined : parseState(text)
    },
    remember: (state) => writeFile(statePath, JSON.stringify(state)),
    forget: () => rm(statePath, { force: true }),
  }
}

/** A state cut short by a power failure is as good as none. */
function parseState(text: string): PartState | undefined {
  try {
    const { url, validator, totalBytes } = JSON.parse(text) as Partial<Record<string, unknown>>
    if (typeof url !== 'string') return undefined
    return {
      url,
      validator: typeof validator === 'string' ? validator : undefined,
      totalBytes: typeof totalBytes === 'number' ? totalBytes : undefined,
    }
  } catch {
    return undefined
  }
}

/** 0 when there is no such file. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
