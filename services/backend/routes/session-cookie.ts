import type { FastifyReply, FastifyRequest } from 'fastify'

export const SESSION_COOKIE = 'aldea_session'

/** Scripts cannot read it, and other sites cannot send it with a change. */
export function setSessionCookie(reply: FastifyReply, token: string, expiresAt: Date): void {
  reply.setCookie(SESSION_COOKIE, token, { ...attributesFor(reply.request), expires: expiresAt })
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.clearCookie(SESSION_COOKIE, attributesFor(reply.request))
}

function attributesFor({ headers }: FastifyRequest) {
  // TLS ends at the balancer, which says so.
  const secure = headers['x-forwarded-proto'] === 'https'
  return { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
}
