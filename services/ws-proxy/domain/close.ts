import type { SpeechFailure } from '../../wire/speech.ts'

/** How a socket ends: code and reason (aldea-api §7.3). */
export interface Close {
  readonly code: number
  readonly reason: string
}

export const CLOSE = {
  done: { code: 1000, reason: '' },
  /** The service goes away. */
  leaving: { code: 1001, reason: '' },
  undecodable: { code: 1008, reason: 'DATA-0000' },
  tooLong: { code: 1008, reason: 'The audio is too long.' },
  /** The speech server is gone or says nothing. */
  silent: { code: 1011, reason: 'NET-0000' },
  /** Neither audio nor KeepAlive. */
  idle: { code: 1011, reason: 'NET-0001' },
} as const satisfies Record<string, Close>

const BY_STATUS = {
  400: CLOSE.undecodable,
  413: CLOSE.tooLong,
  415: CLOSE.undecodable,
  422: CLOSE.undecodable,
  429: CLOSE.silent,
  500: CLOSE.silent,
  503: CLOSE.silent,
} as const satisfies Record<SpeechFailure['status'], Close>

/** How a stream ends that the speech server refuses to go on with. */
export function closeForFailure(status: SpeechFailure['status']): Close {
  return BY_STATUS[status]
}
