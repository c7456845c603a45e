/**
 * Adds to package-lock.json the optional packages of other platforms that the registry did not offer when it was written:
 * `tsx scripts/complete-lock.ts`, after every `npm install`. Without them `npm ci` refuses the whole lock file. What is
 * added has a version and a platform, and no checksum: nobody could ask for one.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../services/wire/package-root.ts'

interface Locked {
  readonly version?: string
  readonly optional?: boolean
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const CPUS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x']
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']

const path = join(packageRoot, 'package-lock.json')
const lock = JSON.parse(await readFile(path, 'utf8')) as { packages: Record<string, Locked> }
let added = 0

for (const { dev = false, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`
    if (lock.packages[key] || !/^\d/.test(version)) continue
    lock.packages[key] = missing(name, version, dev)
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
await writeFile(path, `${JSON.stringify(lock, undefined, 2)}\n`)
console.log(`${added} packages added`)

/** The platform is in the name: `@scope/binding-linux-arm64-gnu`. */
function missing(name: string, version: string, dev: boolean): Locked {
  const words = name.split(/[/-]/)
  const platform = {
    cpu: CPUS.filter((cpu) => words.includes(cpu)),
    os: SYSTEMS.filter((system) => words.includes(system)),
  }
  if (platform.os.length !== 1) throw new Error(`${name} does not say which platform it is for.`)
  return { version, ...platform, ...(dev && { dev }), optional: true }
}
