/** Whoever sends a request: the owner of the platform, by the admin token, or a user with a session. */
export type Actor = PlatformActor | UserActor

export interface PlatformActor {
  readonly kind: 'platform'
  readonly id: 'platform'
  readonly name: 'platform'
}

export interface UserActor {
  readonly kind: 'user'
  readonly id: string
  /** The email. */
  readonly name: string
  readonly createdAt: Date
  /** Hash of the token of the session that was used. */
  readonly session: string
}

export const PLATFORM: PlatformActor = { kind: 'platform', id: 'platform', name: 'platform' }
