/**
 * Memory of a whole `aldea-local start` while it recognises: live streams in real time and minute-long files at once.
 * The same system with answers from a script shows what speech costs of it. Needs /proc.
 *
 *   npm run build && npm run bench memory [-- streams files]
 *
 * "file" is what is mapped from files, such as the weights and Node itself: it needs no memory of its own where others
 * map it too, and can be had again at any time. PostgreSQL and the other processes of the system are counted apart.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fixturePath } from '../../fixtures/fixture-path.ts'
import { packageRoot } from '../../services/wire/package-root.ts'
import { publicApi } from '../walk/dialect.ts'
import { listen } from '../walk/listen.ts'
import { recordings } from './speech/recordings.ts'

const TARGET_MB = 600
const STREAMS = 8
const FILES = 4

const MAIN = join(packageRoot, 'dist', 'emulator', 'cli', 'main.js')
const ENGINES = { whisper: 'whisper', scripted: `scripted:${fixturePath('audio', 'script.json')}` } as const

const [streams = STREAMS, files = FILES] = process.argv.slice(2).map(Number)
const [, minute] = await recordings([])
if (!minute) throw new Error('There is no minute of speech.')

console.log(`${streams} live streams and ${files} files of ${minute.seconds.toFixed(0)} s at once`)
console.log('engine     ready   peak    of it file   after   others')
const peaks: number[] = []
for (const [name, engine] of Object.entries(ENGINES)) peaks.push(await measure(name, engine, minute.clip.bytes))
const [whisper = Number.NaN, scripted = Number.NaN] = peaks
const verdict = whisper <= TARGET_MB ? 'within' : 'ABOVE'
console.log(`speech costs ${(whisper - scripted).toFixed(0)} MB; the process ${verdict} ${TARGET_MB} MB`)

/** @returns the peak of the process in MB */
async function measure(name: string, engine: string, audio: Uint8Array): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-bench-memory-'))
  const args = [MAIN, 'start', '--json', '--port', 'auto', '--backends', 'embedded', '--engine', engine]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const pid = child.pid ?? 0
  try {
    const { url, key } = await readiness(createInterface({ input: child.stdout }))
    // Read to the end: a full pipe would stop the system.
    child.stdout.resume()
    const ready = await memoryOf(pid)
    const api = publicApi(url, key)
    // On a busy machine some answers come too late for the load balancer; the memory is used all the same.
    const asked = await Promise.allSettled([
      ...Array.from({ length: files }, () => api.transcribe(audio)),
      ...Array.from({ length: streams }, () => listen(api, audio)),
    ])
    const after = await memoryOf(pid)
    const others = await Promise.all((await descendantsOf(pid)).map(memoryOf))
    const columns = [
      name.padEnd(11),
      ready.megabytes.toFixed(0).padEnd(8),
      after.peakMegabytes.toFixed(0).padEnd(8),
      after.fileMegabytes.toFixed(0).padEnd(13),
      after.megabytes.toFixed(0).padEnd(8),
      others.reduce((sum, { megabytes }) => sum + megabytes, 0).toFixed(0),
    ]
    const failures = asked.filter(({ status }) => status === 'rejected').length
    console.log(`${columns.join('')}${failures === 0 ? '' : `  (${failures} not answered)`}`)
    return after.peakMegabytes
  } finally {
    child.kill('SIGINT')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
}

async function readiness(lines: AsyncIterable<string>): Promise<{ readonly url: string; readonly key: string }> {
  for await (const line of lines) {
    const event = JSON.parse(line) as { readonly type: string; readonly url: string; readonly key: string }
    if (event.type === 'ready') return event
  }
  throw new Error('The system did not start.')
}

interface Memory {
  readonly megabytes: number
  readonly peakMegabytes: number
  readonly fileMegabytes: number
}

async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1000
  return { megabytes: megabytes('VmRSS'), peakMegabytes: megabytes('VmHWM'), fileMegabytes: megabytes('RssFile') }
}

async function descendantsOf(pid: number): Promise<number[]> {
  const parents = new Map<number, number[]>()
  for (const each of (await readdir('/proc')).map(Number).filter(Number.isInteger)) {
    const status = await readFile(`/proc/${each}/status`, 'utf8').catch(() => '')
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1])
    parents.set(parent, [...(parents.get(parent) ?? []), each])
  }
  const found = [...(parents.get(pid) ?? [])]
  for (const each of found) found.push(...(parents.get(each) ?? []))
  return found
}
