import { open, rm } from 'node:fs/promises'
import type { Clock, Timer } from '../../../wire/clock.ts'
import type { Progress } from './download.ts'
import { DownloadError, LineError } from './errors.ts'
import { sizeOf, type Part, type PartState } from './part.ts'

/** Four times the largest Whisper in single precision; a server that never ends shall not fill the disk. */
const MAX_FILE_BYTES = 24 * 1024 ** 3

const PARTIAL = 206
const UNSATISFIABLE = 416
/** Answers that another try may change: request time-out, too many requests. Those from 500 on are too. */
const PASSING = new Set([408, 425, 429])

/** A line over which nothing comes for so long is cut here; undici would wait five minutes. */
const STALL_MS = 60_000

interface FetchOptions {
  readonly url: URL
  readonly clock: Pick<Clock, 'after'>
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/** What is to be written, and from where. */
interface Incoming {
  readonly offset: number
  readonly totalBytes: number | undefined
}

/**
 * Asks for what is missing (RFC 9110 §14: Range, and If-Range so that another version comes whole) and writes what
 * comes behind what is there, or over it.
 *
 * @throws LineError when another try may help
 * @throws DownloadError when none will
 */
export async function fetchPart(part: Part, options: FetchOptions): Promise<void> {
  const patience = createPatience(options)
  try {
    await fetchWithin(patience, part, options)
  } finally {
    patience.end()
  }
}

/** Aborts its signal when nothing has come for too long, or when the caller has no patience any more. */
interface Patience {
  readonly signal: AbortSignal
  renew(): void
  end(): void
}

function createPatience({ clock, signal: outer }: Pick<FetchOptions, 'clock' | 'signal'>): Patience {
  const controller = new AbortController()
  const leave = (): void => controller.abort(outer?.reason)
  if (outer?.aborted) leave()
  outer?.addEventListener('abort', leave, { once: true })
  const arm = (): Timer =>
    clock.after(STALL_MS, () => controller.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)))
  let timer = arm()
  return {
    signal: controller.signal,
    renew() {
      timer.cancel()
      timer = arm()
    },
    end() {
      timer.cancel()
      outer?.removeEventListener('abort', leave)
    },
  }
}

async function fetchWithin(patience: Patience, part: Part, { url, onProgress }: FetchOptions): Promise<void> {
  const there = await sizeOf(part.path)
  const state = there > 0 ? await part.state() : undefined
  const response = await request(url, { there, state, signal: patience.signal })
  const incoming = await judge(part, { response, url, there, state })
  if (incoming === 'complete') return

  const { offset, totalBytes } = incoming
  if ((totalBytes ?? 0) > MAX_FILE_BYTES) throw new DownloadError(`${url.href} would be ${totalBytes} bytes long.`)
  await part.remember({ url: url.href, validator: validatorOf(response), totalBytes })
  const bytes = await writeBody(part, {
    response,
    incoming,
    onProgress(progress) {
      patience.renew()
      onProgress?.(progress)
    },
  })
  if (totalBytes !== undefined && bytes < totalBytes) {
    throw new LineError(`the server sent ${bytes} bytes and had announced ${totalBytes}`)
  }
  if (bytes === offset && totalBytes === undefined) throw new LineError('the server sent nothing')
}

interface Wanted {
  readonly there: number
  readonly state: PartState | undefined
  readonly signal: AbortSignal
}

async function request(url: URL, { there, state, signal }: Wanted): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (there > 0) headers['range'] = `bytes=${there}-`
  // A validator of another server says nothing to this one.
  if (state?.validator !== undefined && state.url === url.href) headers['if-range'] = state.validator
  try {
    return await fetch(url, { headers, signal })
  } catch (error) {
    throw new LineError(`cannot be reached (${reasonOf(error)})`, { cause: error })
  }
}

interface Answer {
  readonly response: Response
  readonly url: URL
  readonly there: number
  readonly state: PartState | undefined
}

async function judge(part: Part, { response, url, there, state }: Answer): Promise<Incoming | 'complete'> {
  const { status, headers } = response
  if (status === PARTIAL || status === UNSATISFIABLE) {
    const range = parseContentRange(headers.get('content-range'))
    const isSame =
      state?.totalBytes === undefined || range.totalBytes === undefined || range.totalBytes === state.totalBytes
    if (status === PARTIAL && range.start === there && isSame) return { offset: there, totalBytes: range.totalBytes }
    await response.body?.cancel()
    if (status === UNSATISFIABLE && there > 0 && range.totalBytes === there && isSame) return 'complete'
    // What is there is no beginning of what the server has now.
    await rm(part.path, { force: true })
    throw new LineError('the file has changed on the server')
  }
  if (status === 200) {
    const length = headers.get('content-length')
    return { offset: 0, totalBytes: length === null ? undefined : Number(length) }
  }
  await response.body?.cancel()
  if (status >= 500 || PASSING.has(status)) throw new LineError(`the server answers ${status}`)
  throw new DownloadError(`${url.href} answers ${status}.`)
}

async function writeBody(
  part: Part,
  {
    response,
    incoming,
    onProgress,
  }: { readonly response: Response; readonly incoming: Incoming } & { onProgress(progress: Progress): void },
): Promise<number> {
  const { offset, totalBytes } = incoming
  const file = await open(part.path, offset === 0 ? 'w' : 'a')
  let bytes = offset
  try {
    onProgress({ bytes, totalBytes })
    for await (const chunk of chunksOf(response)) {
      await file.appendFile(chunk)
      bytes += chunk.byteLength
      if (bytes > MAX_FILE_BYTES) throw new DownloadError(`${response.url} sends more than ${MAX_FILE_BYTES} bytes.`)
      onProgress({ bytes, totalBytes })
    }
  } finally {
    await file.close()
  }
  return bytes
}

/** The body as it comes; what ends it too early is the line's fault, what happens to the disk is not. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new LineError(`the line was cut (${reasonOf(error)})`, { cause: error })
      })
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** As in `bytes 100-199/1000`; either side of the slash may be a star. */
function parseContentRange(text: string | null): {
  readonly start: number | undefined
  readonly totalBytes: number | undefined
} {
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(text ?? '') ?? []
  return {
    start: start === undefined ? undefined : Number(start),
    totalBytes: total === undefined || total === '*' ? undefined : Number(total),
  }
}

/** If-Range takes no weak ETags. */
function validatorOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag')
  return tag !== null && !tag.startsWith('W/') ? tag : (headers.get('last-modified') ?? undefined)
}

/** Fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
