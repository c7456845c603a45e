import { ClientError } from './client-error.ts'
import { toLine } from './one-line.ts'

/** What a user did wrong when a file cannot be read. */
export function unreadable(path: string, cause: unknown): ClientError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return new ClientError(`There is no file ${path}.`, { cause })
  if (code === 'EISDIR') return new ClientError(`${path} is a folder.`, { cause })
  if (code === 'EACCES') return new ClientError(`${path} may not be read by this user.`, { cause })
  return new ClientError(`${path} cannot be read: ${toLine(cause instanceof Error ? cause.message : String(cause))}.`, {
    cause,
  })
}
