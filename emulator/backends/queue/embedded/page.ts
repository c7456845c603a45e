import type { Input } from './action.ts'
import { QueueError } from './errors.ts'
import { readIntegerBetween, readText } from './input.ts'
import { MAX_RESULTS } from './limits.ts'

/** The names after the one a token stands for, in their order; a token only when a page size was asked for. */
export function pageOf(names: readonly string[], input: Input): { page: string[]; nextToken: string | undefined } {
  const maxResults = readIntegerBetween(input, 'MaxResults', 1, MAX_RESULTS)
  const token = readText(input, 'NextToken')
  const after = token === undefined ? '' : readToken(token)
  const rest = names.filter((name) => name > after).sort()
  const page = rest.slice(0, maxResults ?? MAX_RESULTS)
  const last = page.at(-1)
  const hasMore = maxResults !== undefined && rest.length > page.length && last !== undefined
  return { page, nextToken: hasMore ? Buffer.from(PREFIX + last).toString('base64url') : undefined }
}

const PREFIX = 'after:'

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString()
  if (text.startsWith(PREFIX)) return text.slice(PREFIX.length)
  throw new QueueError('InvalidParameterValue', 'Invalid or expired next token.')
}
