/** Request and response of a synchronous invocation, in bytes. */
export const SYNC_PAYLOAD_BYTES = 6_291_556

/** Request of an asynchronous invocation, in bytes: 1 MiB since October 2025. */
export const ASYNC_PAYLOAD_BYTES = 1_048_576

/** Request of the legacy InvokeAsync, in bytes. */
export const LEGACY_PAYLOAD_BYTES = 262_144

/** How long a stop lets running events go on before it kills them, in milliseconds of the clock. */
export const STOP_DEADLINE_MS = 4_000

/** How much of the log an invocation answers with. */
export const LOG_TAIL_BYTES = 4_096
