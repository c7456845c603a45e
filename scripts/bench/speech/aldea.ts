import { spawn } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../../services/wire/package-root.ts'
import { ended, type Peer } from './peer.ts'

const MAIN = join(packageRoot, 'dist', 'services', 'stt', 'main.js')

/** The speech server as it is shipped, asked over HTTP: decoding, voice detection, pieces, workers. */
export async function startAldea(name: string, variables: Readonly<Record<string, string>>): Promise<Peer> {
  const built = await stat(MAIN).catch(() => undefined)
  if (!built) throw new Error('The built speech server is measured: npm run build first.')
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PORT: '0', ...variables },
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const port = /"port":(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}/transcribe`)
    })
    child.once('exit', () => reject(new Error('The speech server did not start.')))
  })
  return {
    name,
    version: `built ${built.mtime.toISOString()}, Node ${process.versions.node}`,
    pid: child.pid ?? 0,
    async transcribe(path) {
      const response = await fetch(url, { method: 'POST', body: await readFile(path) })
      const answer: unknown = await response.json()
      if (typeof answer === 'object' && answer !== null && 'text' in answer) return String(answer.text)
      throw new Error(`The speech server answers ${response.status}: ${JSON.stringify(answer)}`)
    },
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
    },
  }
}
