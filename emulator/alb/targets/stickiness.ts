import type { TargetGroupConfig } from '../model.ts'
import { type StickinessCookies, readCookie } from './stickiness-cookie.ts'

/** How a target group knows again who was sent to which target (aws-behaviour §1.7). */
export interface GroupStickiness {
  /** Id of the target that a `Cookie` header names; undefined when it names none, or no more. */
  read(cookieHeader: string): string | undefined
  /** `Set-Cookie` values of every answer of the target. */
  setCookiesFor(targetId: string): readonly string[] | undefined
  /** The cookie for answers in which the application sets its own. */
  applicationCookieFor(targetId: string): ApplicationCookie | undefined
}

export interface ApplicationCookie {
  /** Of the application's own cookie. */
  readonly name: string
  /** The `Set-Cookie` value that goes with it. */
  seal(): string
}

const LB_COOKIE = 'AWSALB'
/** The first of up to four of 4 KB each; what this balancer has to say fits into it. */
const APP_COOKIE = 'AWSALBAPP-0'

/** Undefined for a group that is not sticky. */
export function createStickiness(
  { name, stickiness }: TargetGroupConfig,
  cookies: StickinessCookies,
): GroupStickiness | undefined {
  if (!stickiness) return undefined
  const { durationSeconds } = stickiness
  const prefix = `${name} `

  /** Cookies of another group of the same host have the same name. */
  function open(cookieHeader: string, cookie: string): string | undefined {
    const value = cookies.open(cookieHeader, cookie)
    return value?.startsWith(prefix) ? value.slice(prefix.length) : undefined
  }

  if (stickiness.type === 'lb_cookie') {
    return {
      read: (cookieHeader) => open(cookieHeader, LB_COOKIE),
      setCookiesFor: (targetId) => cookies.sealTwins(LB_COOKIE, prefix + targetId, durationSeconds),
      applicationCookieFor: () => undefined,
    }
  }

  const { cookieName } = stickiness
  return {
    // Whoever has lost the application's cookie begins anew.
    read: (cookieHeader) =>
      readCookie(cookieHeader, cookieName) === undefined ? undefined : open(cookieHeader, APP_COOKIE),
    setCookiesFor: () => undefined,
    applicationCookieFor: (targetId) => ({
      name: cookieName,
      seal: () => cookies.seal(APP_COOKIE, prefix + targetId, durationSeconds),
    }),
  }
}
