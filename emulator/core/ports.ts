import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { AldeaError } from './errors.ts'
import { commandOf } from './processes.ts'

export interface PortHolder {
  readonly pid: number
  /** Program and arguments, cut where they get long. */
  readonly command: string
}

/** `flag` is the option that chooses another port. */
export function portTaken(port: number, holder: PortHolder | undefined, flag = '--port'): AldeaError {
  const by = holder ? ` by ${holder.command} (pid ${holder.pid})` : ''
  return new AldeaError('ALDEA_PORT_TAKEN', `Port ${port} is already used${by}.`, {
    hint: `Stop that program, or choose another port with ${flag}.`,
  })
}

/** Throws `portTaken` where an address was in use, else the error itself. */
export async function throwTaken(error: unknown, port: number, flag?: string): Promise<never> {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  throw isTaken ? portTaken(port, await findPortHolder(port), flag) : error
}

/** Who listens on a TCP port, as far as we may see; best effort, never throws. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const pid = await (process.platform === 'linux' ? listenerByProc(port) : listenerByLsof(port)).catch(() => undefined)
  const command = pid === undefined ? undefined : await commandOf(pid)
  return pid === undefined || command === undefined ? undefined : { pid, command: shortened(command) }
}

/** A port of 127.0.0.1 that is free now. Another program may take it before it is used: be ready to ask again. */
export async function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Whether somebody could listen there now. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A'

async function listenerByProc(port: number): Promise<number | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  // Columns: 1 local address, 3 state, 9 inode.
  const rows = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
  const listening = rows.filter((row) => row[1]?.endsWith(suffix) && row[3] === LISTEN)
  const sockets = new Set(listening.map((row) => `socket:[${row[9]}]`))
  if (sockets.size === 0) return undefined

  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
    if (links.some((target) => sockets.has(target))) return Number(pid)
  }
  return undefined
}

async function listenerByLsof(port: number): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'])
  const pid = /^p(\d+)$/m.exec(stdout)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

const LONGEST_COMMAND = 80

function shortened(command: string): string {
  return command.length <= LONGEST_COMMAND ? command : `${command.slice(0, LONGEST_COMMAND - 1)}…`
}
