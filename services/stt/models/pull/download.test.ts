import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { download, type DownloadOptions, type Progress } from './download.ts'
import { serve, startFileServer, type FileServer, type Reply } from './testing.ts'

const CONTENT = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) >> 3)
const OTHER = CONTENT.toReversed()
const SHA256 = sha256(CONTENT)
const HALF = 100_000

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

interface Setting {
  readonly server: FileServer
  readonly folder: string
  readonly file: string
  /** Milliseconds of the pauses between tries. */
  readonly pauses: number[]
  /** Lets the time go by until patience ends. */
  waitLong(): void
  get(options?: Partial<DownloadOptions>): Promise<void>
}

async function prepare(
  onTestFinished: TestContext['onTestFinished'],
  reply: (headers: IncomingHttpHeaders, request: number) => Reply,
): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-pull-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const server = await startFileServer(reply)
  onTestFinished(() => server.close())
  const file = join(folder, 'model.bin')
  const pauses: number[] = []
  let onTime: (() => void) | undefined
  const clock = {
    sleep: async (ms: number) => void pauses.push(ms),
    after(_ms: number, run: () => void) {
      onTime = run
      return { cancel: () => (onTime = undefined) }
    },
  }
  return {
    server,
    folder,
    file,
    pauses,
    waitLong: () => onTime?.(),
    get: (options = {}) => download({ url: server.url, file, sha256: SHA256, clock, ...options }),
  }
}

/** The first half of the file, and then nothing until the line is cut. */
function firstHalf(headers: Readonly<Record<string, string>> = { etag: '"1"' }, content = CONTENT): Reply {
  return {
    headers: { ...headers, 'content-length': String(CONTENT.length) },
    body: content.subarray(0, HALF),
    staysOpen: true,
  }
}

/** Cuts the line once the first half has come. */
function cutAtHalf(server: () => FileServer): (progress: Progress) => void {
  return ({ bytes }) => {
    if (bytes === HALF) server().cut()
  }
}

test('a download is told how far it is and leaves nothing but the file', async ({ expect, onTestFinished }) => {
  const { folder, file, get } = await prepare(onTestFinished, (headers) => serve(CONTENT, headers, '"1"'))
  const progress: Progress[] = []

  await get({ onProgress: (each) => progress.push(each) })

  expect(Buffer.compare(await readFile(file), CONTENT)).toBe(0)
  expect(progress[0]).toEqual({ bytes: 0, totalBytes: CONTENT.length })
  expect(progress.at(-1)).toEqual({ bytes: CONTENT.length, totalBytes: CONTENT.length })
  expect(await readdir(folder)).toEqual(['model.bin'])
})

test('after the line was cut only the rest is fetched', async ({ expect, onTestFinished }) => {
  const setting = await prepare(onTestFinished, (headers, request) =>
    request === 0 ? firstHalf() : serve(CONTENT, headers, '"1"'),
  )
  await setting.get({ onProgress: cutAtHalf(() => setting.server) })

  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
  expect(setting.server.requests.map(({ range, 'if-range': validator }) => [range, validator])).toEqual([
    [undefined, undefined],
    [`bytes=${HALF}-`, '"1"'],
  ])
  expect(setting.pauses).toEqual([500])
})

test('a line over which nothing comes any more is given up for a new one', async ({ expect, onTestFinished }) => {
  const setting = await prepare(onTestFinished, (headers, request) =>
    request === 0 ? firstHalf() : serve(CONTENT, headers, '"1"'),
  )
  const waitAtHalf = ({ bytes }: Progress): void => {
    // The second try begins there too.
    if (bytes === HALF && setting.server.requests.length === 1) setting.waitLong()
  }
  await setting.get({ onProgress: waitAtHalf })

  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
  expect(setting.server.requests[1]).toMatchObject({ range: `bytes=${HALF}-` })
})

test('a later call goes on where an earlier one ended', async ({ expect, onTestFinished }) => {
  const { server, folder, file, get } = await prepare(onTestFinished, (headers) => serve(CONTENT, headers, '"1"'))
  await writeFile(`${file}.part`, CONTENT.subarray(0, HALF))
  await writeFile(
    `${file}.part.json`,
    JSON.stringify({ url: server.url.href, validator: '"1"', totalBytes: CONTENT.length }),
  )

  await get()
  await get()

  expect(server.requests).toHaveLength(1)
  expect(server.requests[0]).toMatchObject({ range: `bytes=${HALF}-`, 'if-range': '"1"' })
  expect(await readdir(folder)).toEqual(['model.bin'])
})

test('all bytes that were there already are not fetched again', async ({ expect, onTestFinished }) => {
  const { file, get, server } = await prepare(onTestFinished, (headers) => serve(CONTENT, headers, '"1"'))
  await writeFile(`${file}.part`, CONTENT)

  await get()

  expect(Buffer.compare(await readFile(file), CONTENT)).toBe(0)
  expect(server.requests).toHaveLength(1)
})

test('a server that ignores Range sends everything again', async ({ expect, onTestFinished }) => {
  const setting = await prepare(onTestFinished, (_headers, request) =>
    request === 0 ? firstHalf() : { headers: { 'content-length': String(CONTENT.length) }, body: CONTENT },
  )
  await setting.get({ onProgress: cutAtHalf(() => setting.server) })

  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
})

test('a file that changed between two tries comes whole, by its ETag', async ({ expect, onTestFinished }) => {
  const setting = await prepare(onTestFinished, (headers, request) =>
    request === 0 ? firstHalf({ etag: '"old"' }, OTHER) : serve(CONTENT, headers, '"new"'),
  )
  await setting.get({ onProgress: cutAtHalf(() => setting.server) })

  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
  expect(setting.server.requests).toHaveLength(2)
})

test.for([
  { how: 'of the same length', totalBytes: CONTENT.length },
  { how: 'of another length', totalBytes: CONTENT.length - 1 },
])('a file $how that changed unseen is fetched once more', async ({ totalBytes }, { expect, onTestFinished }) => {
  // No ETag, no date: the server itself cannot tell the versions apart.
  const setting = await prepare(onTestFinished, (headers, request) => {
    if (request > 0) return serve(CONTENT, headers, 'W/"weak"')
    return { headers: { 'content-length': String(totalBytes) }, body: OTHER.subarray(0, HALF), staysOpen: true }
  })
  await setting.get({ onProgress: cutAtHalf(() => setting.server) })

  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
  expect(setting.server.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${HALF}-`, undefined])
})

test('a wrong sum is said with the right one, and nothing but the download goes', async ({
  expect,
  onTestFinished,
}) => {
  const { folder, file, get } = await prepare(onTestFinished, (headers) => serve(OTHER, headers, '"1"'))
  await writeFile(file, 'an older one')
  await writeFile(join(folder, 'neighbour'), 'mine')

  const error = await get().catch((thrown: unknown) => thrown)

  expect(error).toMatchObject({ name: 'DownloadError' })
  expect(String(error)).toContain(`expected ${SHA256}`)
  expect(String(error)).toContain(`found    ${sha256(OTHER)}`)
  expect(await readFile(file, 'utf8')).toBe('an older one')
  expect(await readdir(folder)).toEqual(['model.bin', 'neighbour'])
})

test('a server that announces more than it sends is given up, and what came is kept', async ({
  expect,
  onTestFinished,
}) => {
  const setting = await prepare(onTestFinished, (headers): Reply => {
    if (headers.range !== undefined) return { status: 416, headers: { 'content-range': 'bytes */999999' } }
    return { headers: { 'content-length': '999999' }, body: CONTENT, staysOpen: true }
  })
  const cutAtEnd = ({ bytes }: Progress): void => {
    if (bytes === CONTENT.length) setting.server.cut()
  }

  await expect(setting.get({ onProgress: cutAtEnd })).rejects.toThrow('5 times in a row')
  expect(await readdir(setting.folder)).not.toContain('model.bin')
  expect(setting.pauses.length).toBeLessThan(12)
})

test('a server that announces less than there is gives a file with another sum', async ({ expect, onTestFinished }) => {
  const { get } = await prepare(onTestFinished, () => ({
    headers: { 'content-length': '1000' },
    body: CONTENT.subarray(0, 1000),
  }))

  await expect(get()).rejects.toThrow(sha256(CONTENT.subarray(0, 1000)))
})

test.for([
  { status: 404, requests: 1, message: 'answers 404' },
  { status: 503, requests: 5, message: 'the server answers 503, 5 times in a row' },
])('an answer $status is tried $requests times', async ({ status, requests, message }, { expect, onTestFinished }) => {
  const { server, get } = await prepare(onTestFinished, () => ({ status }))

  await expect(get()).rejects.toThrow(message)
  expect(server.requests).toHaveLength(requests)
})

test('who fetches a file that is being fetched is told, and spoils nothing', async ({ expect, onTestFinished }) => {
  const setting = await prepare(onTestFinished, (headers, request) =>
    request === 0 ? firstHalf() : serve(CONTENT, headers, '"1"'),
  )
  let second: Promise<unknown> | undefined
  await setting.get({
    onProgress({ bytes }) {
      if (bytes !== HALF || second !== undefined) return
      second = setting.get().catch((error: unknown) => error)
      void second.then(() => setting.server.cut())
    },
  })

  expect(await second).toMatchObject({ name: 'DownloadError', message: expect.stringContaining('already') as string })
  expect(Buffer.compare(await readFile(setting.file), CONTENT)).toBe(0)
  expect(await readdir(setting.folder)).toEqual(['model.bin'])
})

test.for(['0', '', '999999999'])(
  'what a process %s that is gone held back is taken over',
  async (holder, { expect, onTestFinished }) => {
    const { folder, file, get } = await prepare(onTestFinished, (headers) => serve(CONTENT, headers, '"1"'))
    await writeFile(`${file}.lock`, holder)

    await get()

    expect(await readdir(folder)).toEqual(['model.bin'])
  },
)

test('a server that is not there is said to be', async ({ expect, onTestFinished }) => {
  const { server, get } = await prepare(onTestFinished, () => ({}))
  await server.close()

  await expect(get()).rejects.toThrow('cannot be reached')
  await expect(get({ url: new URL('file:///etc/hosts') })).rejects.toThrow('is no http address')
})
