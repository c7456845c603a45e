import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../services/wire/clock.ts'

/** A proxy as Debian has it, with a configuration of our own before one upstream. */
export interface Proxy {
  readonly url: string
  /** CPU time that it has used. */
  cpuMicros(): Promise<number>
  stop(): Promise<void>
}

export const PROXIES = ['nginx', 'haproxy'] as const
export type ProxyName = (typeof PROXIES)[number]

const HOST = '127.0.0.1'
const KEPT_CONNECTIONS = 128
const START_TRIES = 100
const START_GAP_MS = 50
/** `USER_HZ`, in which Linux counts. */
const TICKS_PER_SECOND = 100

export function isInstalled(name: ProxyName): boolean {
  return spawnSync(name, ['-v']).status === 0
}

/** In the foreground, with one worker, without a log; `pin` puts a command on its core. */
export async function startProxy(
  name: ProxyName,
  upstreamPort: number,
  pin: (command: readonly string[]) => readonly string[],
): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-bench-'))
  const port = await findFreePort()
  const file = join(folder, 'proxy.conf')
  await writeFile(file, name === 'nginx' ? nginxConfig(folder, port, upstreamPort) : haproxyConfig(port, upstreamPort))
  const [command = '', ...rest] = pin(
    name === 'nginx' ? ['nginx', '-c', file, '-p', folder] : ['haproxy', '-db', '-f', file],
  )
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
  await untilListening(port, child)
  return {
    url: `http://${HOST}:${port}`,
    cpuMicros: () => cpuMicrosOf(child.pid ?? 0),
    async stop() {
      const exited = once(child, 'exit')
      child.kill()
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
  return `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  map $http_upgrade $connection_to_app { default upgrade; '' ''; }
  access_log off; keepalive_requests 1000000000; ${temporary.join(' ')}
  upstream app { server ${HOST}:${upstreamPort}; keepalive ${KEPT_CONNECTIONS}; keepalive_requests 1000000000; }
  server {
    listen ${HOST}:${port};
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection $connection_to_app; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`
}

function haproxyConfig(port: number, upstreamPort: number): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend bench
  bind ${HOST}:${port}
  default_backend app
backend app
  server one ${HOST}:${upstreamPort}
`
}

async function cpuMicrosOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // Behind the name, which may hold spaces, user and system time are the 12th and 13th fields.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries += 1) {
    if (child.exitCode !== null) break
    if (await isTaken(port)) return
    await systemClock.sleep(START_GAP_MS)
  }
  throw new Error('The proxy does not listen.')
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
