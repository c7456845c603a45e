import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../../wire/make-folder.ts'
import type { Clock } from '../../../wire/clock.ts'
import { hashFiles } from '../hash-files.ts'
import { DownloadError, LineError } from './errors.ts'
import { fetchPart } from './fetch-part.ts'
import { lock } from './lock.ts'
import { openPart, sizeOf, type Part } from './part.ts'

export interface Progress {
  readonly bytes: number
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined
}

export interface DownloadOptions {
  readonly url: URL
  /** Appears whole and checked; until then its bytes are in `<file>.part`. */
  readonly file: string
  /** What the file must have, in lower-case hexadecimal. */
  readonly sha256: string
  readonly clock: Pick<Clock, 'sleep' | 'after'>
  readonly onProgress?: (progress: Progress) => void
  /** Ends the call; what came is kept. */
  readonly signal?: AbortSignal
}

/** Tries that bring nothing new, one after the other. */
const MAX_VAIN_TRIES = 5
const FIRST_PAUSE_MS = 500

/**
 * Fetches a file and goes on where the line was cut, in this call or an earlier one. A file whose sum is wrong although
 * it came in pieces is fetched once more from its beginning: the pieces may be of two versions.
 *
 * @throws DownloadError when the server refuses, the line keeps breaking, the sum is wrong, or another process is at it
 * @throws the signal's reason when it is aborted
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, file, sha256 } = options
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new DownloadError(`${url.href} is no http address.`)
  await makeFolder(dirname(file))
  if ((await sizeOf(file)) > 0 && (await hashFiles([file])) === sha256) return

  // Two who write one file would spoil it for each other.
  const unlock = await lock(`${file}.lock`, url.href)
  try {
    await fetchChecked(options)
  } finally {
    await unlock()
  }
}

async function fetchChecked(options: DownloadOptions): Promise<void> {
  const { url, file, sha256 } = options
  const part = openPart(file)
  for (const isLastTry of [false, true]) {
    const cameInPieces = await fetchAll(part, options)
    const found = await hashFiles([part.path])
    if (found === sha256) {
      await rename(part.path, file)
      await part.forget()
      return
    }
    await rm(part.path)
    await part.forget()
    if (isLastTry || !cameInPieces) {
      throw new DownloadError(`${url.href} has another SHA-256:\n  expected ${sha256}\n  found    ${found}`)
    }
  }
}

async function fetchAll(part: Part, { url, clock, onProgress, signal }: DownloadOptions): Promise<boolean> {
  let farthest = await sizeOf(part.path)
  let cameInPieces = farthest > 0
  let vainTries = 0
  for (;;) {
    try {
      await fetchPart(part, { url, clock, onProgress, signal })
      return cameInPieces
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof LineError)) throw error
      const reached = await sizeOf(part.path)
      // What a server sends again from the beginning is nothing new.
      vainTries = reached > farthest ? 0 : vainTries + 1
      farthest = Math.max(farthest, reached)
      cameInPieces ||= reached > 0
      if (vainTries === MAX_VAIN_TRIES) {
        throw new DownloadError(
          `${url.href}: ${error.message}, ${MAX_VAIN_TRIES} times in a row. ` +
            `${reached} bytes are kept; the same command goes on from there.`,
          { cause: error },
        )
      }
      await clock.sleep(FIRST_PAUSE_MS * 2 ** vainTries, signal)
    }
  }
}
