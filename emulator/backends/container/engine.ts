import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { engineClient, EngineError, type EngineClient } from './engine-client.ts'

/** A container engine that has answered. */
export interface Engine extends EngineClient {
  /** As in `DOCKER_HOST`. */
  readonly uri: string
}

/**
 * An engine of this machine answers in a few milliseconds, and an address where none is refuses at once: the time is for
 * a thread of ours that is busy starting everything else, and ends the wait for an engine that hangs.
 */
const PING_TIMEOUT_MS = 3_000

/**
 * The engine of `dockerHost`, or of the first usual socket that answers; or the reasons why none does, as one sentence.
 * Asked by ourselves, because the library that starts the containers falls back to another engine without a word.
 */
export async function findEngine(
  dockerHost: string | undefined,
  timeoutMs = PING_TIMEOUT_MS,
): Promise<Engine | string> {
  const uris = dockerHost === undefined ? await usualSockets() : [dockerHost]
  if (uris.length === 0) return `no container engine: DOCKER_HOST is not set and there is no ${DEFAULT_SOCKET}`
  const reasons: string[] = []
  for (const uri of uris) {
    const engine = await pinged(uri, timeoutMs)
    if (typeof engine === 'object') return engine
    reasons.push(engine)
  }
  return reasons.join('; ')
}

async function pinged(uri: string, timeoutMs: number): Promise<Engine | string> {
  const client = clientOf(uri)
  if (typeof client === 'string') return client
  try {
    await client.call('GET', '/_ping', { timeoutMs })
    return { ...client, uri }
  } catch (error) {
    return `no container engine answers at ${uri} (${reasonOf(error)})`
  }
}

function clientOf(uri: string): EngineClient | string {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url?.protocol === 'unix:') return engineClient({ socketPath: decodeURIComponent(url.pathname) })
  if (url?.protocol === 'npipe:') return engineClient({ socketPath: url.pathname.replaceAll('/', '\\') })
  if (url?.protocol !== 'tcp:' && url?.protocol !== 'http:') return `DOCKER_HOST ${uri} is not unix://… or tcp://…`
  // The ports of containers are opened on the loopback address of the engine's machine.
  if (!LOOPBACK.has(url.hostname)) return `the container engine at ${uri} is on another machine`
  return engineClient({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || DOCKER_PORT) })
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
/** Of Docker, without TLS. */
const DOCKER_PORT = 2375
const DEFAULT_SOCKET = '/var/run/docker.sock'

/** Of Docker, of Docker without root, of Docker Desktop and of Podman, those that exist. */
async function usualSockets(): Promise<string[]> {
  if (process.platform === 'win32') return ['npipe:////./pipe/docker_engine']
  const uid = process.getuid?.()
  const paths = [
    DEFAULT_SOCKET,
    `/run/user/${uid}/docker.sock`,
    join(homedir(), '.docker/run/docker.sock'),
    `/run/user/${uid}/podman/podman.sock`,
  ]
  const existing = await Promise.all(paths.map((path) => access(path).then(() => [`unix://${path}`], none)))
  return existing.flat()
}

function reasonOf(error: unknown): string {
  if (error instanceof EngineError) return `status ${error.status}`
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}

function none(): string[] {
  return []
}
