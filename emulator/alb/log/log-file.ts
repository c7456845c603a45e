import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import type { Ids } from '../../../services/wire/runtime.ts'
import type { AwsNames } from '../names.ts'

/** Log files of one folder, named as AWS names them, with bounds on what they take. */
export interface LogFiles {
  /** Writes lines in the order their requests ended, after all that came before, each to the file of its five minutes. */
  append(lines: readonly LogLine[]): Promise<void>
  close(): Promise<void>
}

export interface LogLine {
  readonly text: string
  /** When the request ended: milliseconds of the environment's clock. */
  readonly at: number
}

export interface LogFilesOptions {
  readonly folder: string
  readonly names: AwsNames
  /** Of the node, as file names have it. */
  readonly address: string
  readonly ids: Ids
  readonly limits: LogLimits
}

export interface LogLimits {
  /** A file that has grown beyond it is followed by another one of the same five minutes. */
  readonly fileBytes: number
  /** The oldest files go when there are more. */
  readonly files: number
}

/** AWS delivers a file for every five minutes, named by their end. */
const INTERVAL_MS = 5 * 60 * 1000
/** Of the random end of a name: AWS's have eight characters. */
const RANDOM_BYTES = 4

/** Makes the folder when it is first needed; only its owner can read what is in it: URLs may hold keys. */
export function openLogFiles({ folder, names, address, ids, limits }: LogFilesOptions): LogFiles {
  let current: { readonly file: FileHandle; readonly endsAt: number; bytes: number } | undefined

  async function fileUntil(endsAt: number): Promise<NonNullable<typeof current>> {
    if (current?.endsAt === endsAt && current.bytes < limits.fileBytes) return current
    await close()
    await makeFolder(folder, { mode: 0o700 })
    await removeOldest(folder, limits.files - 1)
    const file = await open(join(folder, toFileName(endsAt)), 'a', 0o600)
    current = { file, endsAt, bytes: 0 }
    return current
  }

  function toFileName(endsAt: number): string {
    const { accountId, region, fileName } = names
    const end = new Date(endsAt).toISOString().replace(/(\d{4})-(\d\d)-(\d\dT\d\d):(\d\d).*/, '$1$2$3$4Z')
    const node = address.replaceAll(':', '.')
    return `${accountId}_elasticloadbalancing_${region}_${fileName}_${end}_${node}_${ids.hex(RANDOM_BYTES)}.log`
  }

  async function close(): Promise<void> {
    await current?.file.close()
    current = undefined
  }

  return {
    async append(lines) {
      for (const [endsAt, text] of byInterval(lines)) {
        const into = await fileUntil(endsAt)
        const { bytesWritten } = await into.file.write(text)
        into.bytes += bytesWritten
      }
    },
    close,
  }
}

/** The text for every five minutes there is a line of, by their end. */
function byInterval(lines: readonly LogLine[]): Map<number, string> {
  const texts = new Map<number, string>()
  for (const { text, at } of lines) {
    const endsAt = (Math.floor(at / INTERVAL_MS) + 1) * INTERVAL_MS
    texts.set(endsAt, `${texts.get(endsAt) ?? ''}${text}\n`)
  }
  return texts
}

async function removeOldest(folder: string, kept: number): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  if (files.length <= kept) return
  const dated = await Promise.all(
    files.map(async (name) => {
      const path = join(folder, name)
      // The time in the name is the environment's; the file system's own tells files of the same minutes apart.
      return { path, end: /_(\d{8}T\d{4}Z)_/.exec(name)?.[1] ?? '', writtenMs: (await stat(path)).mtimeMs }
    }),
  )
  const oldest = dated
    .toSorted((one, other) => (one.end === other.end ? one.writtenMs - other.writtenMs : one.end < other.end ? -1 : 1))
    .slice(0, files.length - kept)
  await Promise.all(oldest.map(({ path }) => rm(path, { force: true })))
}
