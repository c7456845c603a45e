import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A virtual environment of Python with the packages of one peer. */
export interface Environment {
  readonly python: string
  /** For its processes: packages built on the machine find their libraries beside them only so. */
  readonly variables: Readonly<Record<string, string>>
}

export interface EnvironmentOptions {
  readonly folder: string
  /** What the peer imports: there when it is installed. */
  readonly module: string
  /** Arguments of `pip install`, one after the other until one succeeds. */
  readonly installs: readonly (readonly string[])[]
  readonly mayInstall: boolean
}

/** @returns the environment, made if that is allowed, or why there is none */
export async function pythonWith(options: EnvironmentOptions): Promise<Environment | string> {
  const { folder, module, installs, mayInstall } = options
  const there = await environmentIn(folder, module)
  if (there) return there
  if (!mayInstall) return 'not installed, run with --install'
  if (!(await succeeds(['python3', '-m', 'venv', folder]))) return 'python3 -m venv failed'
  for (const packages of installs) {
    await succeeds([join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', ...packages])
    const installed = await environmentIn(folder, module)
    if (installed) return installed
  }
  return `pip could not install ${installs.at(-1)?.join(' ')}`
}

async function environmentIn(folder: string, module: string): Promise<Environment | undefined> {
  const [version] = await readdir(join(folder, 'lib')).catch(() => [])
  if (version === undefined) return undefined
  const python = join(folder, 'bin', 'python')
  const variables = { LD_LIBRARY_PATH: join(folder, 'lib', version, 'site-packages') }
  return (await succeeds([python, '-c', `import ${module}`], { variables })) ? { python, variables } : undefined
}

interface ProcessOptions {
  readonly variables?: Readonly<Record<string, string>>
  readonly folder?: string
}

export function succeeds([command = '', ...args]: readonly string[], options: ProcessOptions = {}): Promise<boolean> {
  const { variables, folder } = options
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: 'ignore',
      env: { ...process.env, ...variables },
      ...(folder !== undefined && { cwd: folder }),
    })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
