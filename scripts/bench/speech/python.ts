import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** A virtual environment of Python with the packages of one peer. */
export interface Environment {
  readonly python: string
}

/** One after the other until one succeeds: arguments of `pip install`. */
type Installs = readonly (readonly string[])[]

export interface EnvironmentOptions {
  readonly folder: string
  /** What the peer imports: there when it is installed. */
  readonly module: string
  readonly installs: Installs
  readonly mayInstall: boolean
}

/** @returns the environment, made if that is allowed, or why there is none */
export async function pythonWith({
  folder,
  module,
  installs,
  mayInstall,
}: EnvironmentOptions): Promise<Environment | string> {
  const python = join(folder, 'bin', 'python')
  const isThere = async (): Promise<boolean> =>
    existsSync(python) && (await succeeds(python, ['-c', `import ${module}`]))
  if (await isThere()) return { python }
  if (!mayInstall) return 'not installed, run with --install'
  if (!(await succeeds('python3', ['-m', 'venv', folder]))) return 'python3 -m venv failed'
  for (const packages of installs) {
    if (await succeeds(python, ['-m', 'pip', 'install', '--quiet', ...packages])) break
  }
  return (await isThere()) ? { python } : `pip could not install ${installs.at(-1)?.join(' ')}`
}

export function succeeds(command: string, args: readonly string[], cwd?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', ...(cwd !== undefined && { cwd }) })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
