/** Numbers of the SQS developer guide, as of 2026. */

export const MAX_MESSAGE_BYTES = 1_048_576
export const MAX_BATCH_ENTRIES = 10
export const MAX_RECEIVED = 10
export const MAX_MESSAGE_ATTRIBUTES = 10
export const MAX_VISIBILITY_SECONDS = 43_200
export const MAX_DELAY_SECONDS = 900
export const MAX_WAIT_SECONDS = 20
export const MAX_IN_FLIGHT = 120_000
/** Of ListQueues, ListDeadLetterSourceQueues. */
export const MAX_RESULTS = 1000
export const MAX_TAGS = 50
/** How long a FIFO queue remembers what was sent, counted from the first send, and a receive attempt. */
export const DEDUPLICATION_MS = 300_000
export const PURGE_INTERVAL_MS = 60_000
/** For how long the name of a deleted queue cannot be used. */
export const NAME_REST_MS = 60_000
