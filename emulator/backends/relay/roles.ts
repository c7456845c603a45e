import type { BackendInstance } from '../../core/system.ts'

/** Which instance of a backend is primary now; they change places in a failover. */
export interface Roles {
  readonly primary: BackendInstance
  /** Who would take over. */
  readonly successor: BackendInstance | undefined
  /** `<backend>-001`: its node, as ElastiCache numbers them. */
  node(instance: BackendInstance): string
  swap(): void
}

/** @throws Error when no instance is primary. */
export function createRoles(backend: string, instances: readonly BackendInstance[]): Roles {
  const numbers = new Map(instances.map(({ name }, index) => [name, index + 1]))
  const first = instances.find(isPrimary)
  if (!first) throw new Error(`No instance of ${backend} is primary.`)
  let current = { primary: first, successor: instances.find((each) => !isPrimary(each)) }
  return {
    get primary() {
      return current.primary
    },
    get successor() {
      return current.successor
    },
    node: ({ name }) => `${backend}-${String(numbers.get(name) ?? 0).padStart(NODE_DIGITS, '0')}`,
    swap() {
      const { primary: old, successor: next } = current
      if (!next) return
      current = { primary: { ...next, role: old.role }, successor: { ...old, role: next.role } }
    },
  }
}

function isPrimary({ role }: BackendInstance): boolean {
  return role === 'primary'
}

const NODE_DIGITS = 3
