/** What an organisation may do at once. */
export interface Limits {
  readonly maxConnections: number
  /** Absent: as many as it likes. */
  readonly requestsPerMinute: number | undefined
}

/** The number drawn in the architecture: "valid, 10 connections allowed". */
export const DEFAULT_MAX_CONNECTIONS = 10

/** Reads the hash `org:{id}:limits`. Fields that are absent or no counts fall back to the defaults. */
export function parseLimits(fields: Readonly<Record<string, string>>): Limits {
  return {
    maxConnections: toCount(fields['max_connections']) ?? DEFAULT_MAX_CONNECTIONS,
    requestsPerMinute: toCount(fields['requests_per_minute']),
  }
}

/** The hash that {@link parseLimits} reads. `version` grows with every change of the organisation. */
export function toLimitFields(limits: Limits, version: number): Record<string, string> {
  return {
    max_connections: String(limits.maxConnections),
    ...(limits.requestsPerMinute === undefined ? {} : { requests_per_minute: String(limits.requestsPerMinute) }),
    version: String(version),
  }
}

function toCount(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,9}$/.test(field) ? Number(field) : undefined
}
