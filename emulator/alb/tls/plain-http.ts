import type { Socket } from 'node:net'
import type { AccessDeps } from '../log/access.ts'
import { recordMalformed } from '../log/access.ts'
import { toPlainHttpAnswer } from '../answers.ts'
import { type ConnectionFacts, createConnection } from '../connection.ts'

/** Answers what came without TLS to where TLS is spoken (aws-behaviour §1.13). */
export function answerPlainHttp(socket: Socket, facts: ConnectionFacts, deps: AccessDeps): void {
  const connection = createConnection(socket, facts)
  // What is not read when the connection ends would reset it, and the client might not see the page.
  socket.resume()
  socket.end(toPlainHttpAnswer(deps.clock.now()), () => {
    socket.destroy()
    recordMalformed(connection, 400, deps)
  })
}
