import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { ApiError } from '../../wire/api-error.ts'

/** A refusal as RFC 9457 words it. `error` repeats `detail` under the name that the other APIs use. */
export const ProblemShape = Type.Object({
  type: Type.String({ description: 'about:blank: the status says what kind of problem it is.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'The path that was asked for.' }),
  request_id: Type.String(),
  error: Type.String({ description: 'The same as detail.' }),
})

export const PROBLEM_TYPE = 'application/problem+json'

export function sendProblem(reply: FastifyReply, { status, message }: ApiError): FastifyReply {
  const { id, url } = reply.request
  const [instance] = url.split('?', 1)
  const title = STATUS_CODES[status] ?? 'Error'
  const problem = { type: 'about:blank', title, status, detail: message, instance, request_id: id, error: message }
  // As text, for the types of routes know nothing of refusals.
  return reply.type(PROBLEM_TYPE).serializer(String).send(JSON.stringify(problem))
}
