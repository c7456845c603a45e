import * as fc from 'fast-check'
import { test } from 'vitest'
import { losesLastOwner, mayChange, type Role } from './roles.ts'

const ROLES: readonly Role[] = ['owner', 'admin', 'member', 'viewer']
const role = fc.constantFrom(...ROLES)
const roleOrNone = fc.constantFrom(...ROLES, undefined)

test('only owners make and unmake owners, and who may not change members changes nobody', ({ expect }) => {
  fc.assert(
    fc.property(role, roleOrNone, roleOrNone, (by, from, to) => {
      const touchesOwner = from === 'owner' || to === 'owner'
      expect(mayChange(by, { from, to })).toBe(by === 'owner' || (by === 'admin' && !touchesOwner))
    }),
  )
})

test('whatever changes are made, an owner is left', ({ expect }) => {
  fc.assert(
    fc.property(fc.array(role), fc.array(fc.tuple(fc.nat(), roleOrNone)), (others, changes) => {
      const members: (Role | undefined)[] = ['owner', ...others]
      for (const [at, to] of changes) {
        const index = at % members.length
        const from = members[index]
        const present = members.filter((each) => each !== undefined)
        if (!losesLastOwner(present, { from, to })) members[index] = to
        expect(members).toContain('owner')
      }
    }),
  )
})
