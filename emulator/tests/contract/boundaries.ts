import { isTest, type Import } from './sources.ts'

/** A rule of ARCHITECTURE.md, Invariants: which imports break it, and what to do instead. */
interface Rule {
  readonly breaks: (edge: Import) => boolean
  readonly remedy: string
}

/** What several services share: `wire` is their language, `account` what both proxies need of an account. */
const SHARED = new Set(['wire', 'account'])

const RULES: readonly Rule[] = [
  {
    breaks: ({ from, to }) => isIn(from, 'services') && isIn(to, 'emulator') && !(isTest(from) && isForTests(to)),
    remedy: 'A service runs in the cloud without the emulator. It receives clock, log and ids as arguments.',
  },
  {
    breaks: ({ from, to }) => {
      const [own, other] = [serviceOf(from), serviceOf(to)]
      return own !== undefined && other !== undefined && own !== other && !SHARED.has(other) && !isTest(from)
    },
    remedy: 'Services talk over the network. What two of them share lives in services/wire or services/account.',
  },
  {
    breaks: ({ from, to }) => serviceOf(from) === 'wire' && serviceOf(to) === 'account' && !isTest(from),
    remedy: 'services/wire is the lowest ring: it imports packages only.',
  },
  {
    breaks: ({ from, to }) => isIn(from, 'services') && isIn(to, 'fixtures/systems') && !isTest(from),
    remedy: 'A service does not know which system it runs in. It learns what it needs from its variables.',
  },
  {
    breaks: ({ from, to }) =>
      isIn(from, 'emulator') && isIn(to, 'services') && serviceOf(to) !== 'wire' && !isTest(from),
    remedy: 'The emulator knows no service. Only fixtures/systems names both: add what is missing to the system.',
  },
  {
    breaks: ({ from, to }) =>
      isIn(from, 'emulator') && isIn(to, 'fixtures/systems') && !isOutermost(from) && !isTest(from),
    remedy: 'Only the command line and the test library choose a system. Inside, it arrives as data.',
  },
  {
    breaks: ({ from, to }) =>
      to === 'emulator/core/environment.ts' && isIn(from, 'emulator') && !isOutermost(from) && !isTest(from),
    remedy: 'environment.ts is the top of the emulator: parts receive what they need, or read the event stream.',
  },
  {
    breaks: ({ from, to }) =>
      isIn(from, 'fixtures') &&
      !isIn(from, 'fixtures/systems') &&
      isElsewhere(to) &&
      serviceOf(to) !== 'wire' &&
      !isTest(from),
    remedy: 'Fixtures are the world, not the program. Only fixtures/systems names emulator and services.',
  },
  {
    breaks: ({ from, to }) =>
      isIn(from, 'fixtures/systems') &&
      !isIn(from, 'fixtures/systems/commands') &&
      isInsideService(to) &&
      !isTest(from),
    remedy: 'A system loads a service through its one door, service.ts.',
  },
  {
    breaks: ({ from, to }) => !isTest(from) && isTest(to),
    remedy: 'Tests and their helpers are not published, so the command would not start.',
  },
]

/** What programs import. */
const LIBRARY = new Set(['emulator/index.ts', 'emulator/start-environment.ts'])

/** One line for each import that breaks a rule. */
export function violations(imports: readonly Import[]): readonly string[] {
  return imports.flatMap((edge) =>
    RULES.filter((rule) => rule.breaks(edge)).map(({ remedy }) => `${edge.from} imports ${edge.to}. ${remedy}`),
  )
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`)
}

/** `ws-proxy` of `services/ws-proxy/routes/listen.ts`. */
function serviceOf(path: string): string | undefined {
  return /^services\/([^/]+)\//.exec(path)?.[1]
}

function isElsewhere(path: string): boolean {
  return isIn(path, 'emulator') || isIn(path, 'services')
}

function isOutermost(path: string): boolean {
  return isIn(path, 'emulator/cli') || LIBRARY.has(path)
}

/** Behind the door of a service. The shared folders have none. */
function isInsideService(path: string): boolean {
  const service = serviceOf(path)
  return service !== undefined && !SHARED.has(service) && path !== `services/${service}/service.ts`
}

/** What tests of services may take from the emulator: real backends and functions to talk to, and time to turn. */
function isForTests(path: string): boolean {
  return isIn(path, 'emulator/backends') || path === 'emulator/lambda/testing.ts' || path === 'emulator/core/clock.ts'
}
