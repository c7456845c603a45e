interface CatalogueEntry {
  /** Who can mend it: the user, something outside, or we. */
  readonly kind: 'user' | 'upstream' | 'bug'
  /** Exit code of the command: docs/errors.md. */
  readonly exit: 1 | 2 | 3 | 4 | 5
  readonly title: string
}

/** Every error the emulator raises on its own account. Codes are never renamed nor reused; docs/errors.md explains each. */
export const catalogue = {
  ALDEA_INTERNAL: { kind: 'bug', exit: 1, title: 'A bug in aldea-local' },
  ALDEA_USAGE: { kind: 'user', exit: 2, title: 'The command line has errors' },
  ALDEA_CONFIG_INVALID: { kind: 'user', exit: 2, title: 'The configuration has errors' },
  ALDEA_PORT_TAKEN: { kind: 'user', exit: 3, title: 'A port is in use' },
  ALDEA_STATE_LOCKED: { kind: 'user', exit: 3, title: 'Another environment runs in this folder' },
  ALDEA_STATE_MISMATCH: { kind: 'user', exit: 3, title: 'Kept data is of another version' },
  ALDEA_NOT_RUNNING: { kind: 'user', exit: 4, title: 'No environment is running' },
  ALDEA_MISSING: { kind: 'user', exit: 4, title: 'Something needed is missing' },
  ALDEA_MODEL_INVALID: { kind: 'user', exit: 4, title: 'A speech model cannot be used' },
  ALDEA_BACKEND_UNHEALTHY: { kind: 'upstream', exit: 5, title: 'A backend did not become ready' },
  ALDEA_SERVICE_FAILED: { kind: 'upstream', exit: 5, title: 'A service did not start' },
  ALDEA_REQUEST_FAILED: { kind: 'upstream', exit: 5, title: 'A request to the environment failed' },
  ALDEA_DOWNLOAD_FAILED: { kind: 'upstream', exit: 5, title: 'A download failed' },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof catalogue

/** The emulator's one error class. Recognise it by `code`, never by `instanceof` or by its text. */
export class AldeaError extends Error {
  readonly code: ErrorCode
  /** The next thing to type. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'AldeaError'
    this.code = code
    this.hint = options.hint
  }
}

export function isAldeaError(error: unknown): error is AldeaError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in catalogue
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
