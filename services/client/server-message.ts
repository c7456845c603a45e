import { parseObject, transcriptOf } from './json.ts'
import { toLine } from './one-line.ts'

/** What a message of the streaming API means to somebody who reads along. */
export type ServerMessage = { readonly raw: Readonly<Record<string, unknown>> } & (
  | { readonly type: 'opened'; readonly requestId: string | undefined }
  | { readonly type: 'words'; readonly isFinal: boolean; readonly text: string }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'other' }
)

/** Reads a text frame; messages that are new or malformed are `other`, as an old client must not fail on them. */
export function readServerMessage(frame: string): ServerMessage {
  const raw = parseObject(frame)
  switch (raw['type']) {
    case 'Metadata':
      return { raw, type: 'opened', requestId: toText(raw['request_id']) }
    case 'Results':
      return { raw, type: 'words', isFinal: raw['is_final'] === true, text: toText(transcriptOf(raw['channel'])) ?? '' }
    case 'Error':
      return { raw, type: 'failed', reason: toText(raw['description']) ?? toText(raw['message']) ?? 'unknown error' }
    default:
      return { raw, type: 'other' }
  }
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? toLine(value) : undefined
}
