import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '../../../wire/clock.ts'
import { importModel, type ImportOptions } from '../import-model.ts'
import type { ModelManifest } from '../manifest.ts'
import { download, type Progress } from './download.ts'

export interface PullOptions {
  /** Of one file that is a whole model: ggml. */
  readonly url: URL
  readonly sha256: string
  /** Folder for what is under way and not imported yet. */
  readonly downloads: string
  /** Folder of the model to write. */
  readonly to: string
  readonly name: string
  readonly precision: ImportOptions['precision']
  readonly clock: Pick<Clock, 'sleep' | 'after'>
  readonly onProgress?: (progress: Progress) => void
  readonly onStep?: ImportOptions['onProgress']
  /** Ends the call; what came is kept, what was converted is not. */
  readonly signal?: AbortSignal
}

/**
 * Fetches a model and imports it. What was fetched stays until it is imported, so that a full disk costs no second
 * download.
 */
export async function pullModel(options: PullOptions): Promise<ModelManifest> {
  const { url, sha256, downloads, to, name, precision, clock, onProgress, onStep, signal } = options
  const file = join(downloads, `${sha256}.bin`)
  const interruptible = signal && { signal }
  await download({ url, file, sha256, clock, ...(onProgress && { onProgress }), ...interruptible })
  const manifest = await importModel({
    from: file,
    to,
    name,
    precision,
    ...(onStep && { onProgress: onStep }),
    ...interruptible,
  })
  // Another pull of the same file may have been done with it first.
  await rm(file, { force: true })
  return manifest
}

/** What the file at an address is called: `…/ggml-base.en.bin?download=1` holds `base.en`. */
export function modelNameIn(url: URL): string {
  return basename(url.pathname, '.bin').replace(/^ggml-/, '')
}
