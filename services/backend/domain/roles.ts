export type Role = 'owner' | 'admin' | 'member' | 'viewer'

/** Who may do what in an organisation. The owner of the platform, who comes with the admin token, may do everything. */
const PERMISSIONS = {
  'read the organisation': ['owner', 'admin', 'member', 'viewer'],
  'read keys': ['owner', 'admin', 'member', 'viewer'],
  'create keys': ['owner', 'admin', 'member'],
  'revoke keys': ['owner', 'admin', 'member'],
  'read members': ['owner', 'admin', 'member', 'viewer'],
  'change members': ['owner', 'admin'],
  'read usage': ['owner', 'admin', 'member', 'viewer'],
  'read billing': ['owner', 'admin'],
  'change the plan': ['owner'],
  'read the audit log': ['owner', 'admin'],
  'change limits': [],
  'grant credit': [],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS

export function allows(role: Role, permission: Permission): boolean {
  const roles: readonly Role[] = PERMISSIONS[permission]
  return roles.includes(role)
}

/** Someone's role before and after a change; undefined for one who is no member. */
export interface RoleChange {
  readonly from: Role | undefined
  readonly to: Role | undefined
}

/** Owners are made and unmade by owners only. */
export function mayChange(role: Role, { from, to }: RoleChange): boolean {
  if (!allows(role, 'change members')) return false
  return role === 'owner' || (from !== 'owner' && to !== 'owner')
}

/** Whether the organisation would be left without an owner. */
export function losesLastOwner(roles: readonly Role[], { from, to }: RoleChange): boolean {
  return from === 'owner' && to !== 'owner' && roles.filter((role) => role === 'owner').length === 1
}
