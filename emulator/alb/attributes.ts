import type { LoadBalancerAttributes } from './model.ts'

/** Attributes with AWS's defaults in the place of what is absent (aws-behaviour §1.1). */
export interface ResolvedAttributes {
  readonly idleTimeoutMs: number
  readonly clientKeepAliveMs: number
  readonly desyncMitigationMode: NonNullable<LoadBalancerAttributes['desyncMitigationMode']>
  readonly dropsInvalidHeaders: boolean
  readonly preservesHost: boolean
  readonly addsTlsHeaders: boolean
  readonly addsClientPort: boolean
  readonly xffMode: NonNullable<LoadBalancerAttributes['xffMode']>
  readonly hasHttp2: boolean
}

const IDLE_TIMEOUT_SECONDS = 60
const CLIENT_KEEP_ALIVE_SECONDS = 3600

export function resolveAttributes(given: LoadBalancerAttributes = {}): ResolvedAttributes {
  return {
    idleTimeoutMs: (given.idleTimeoutSeconds ?? IDLE_TIMEOUT_SECONDS) * 1_000,
    clientKeepAliveMs: (given.clientKeepAliveSeconds ?? CLIENT_KEEP_ALIVE_SECONDS) * 1_000,
    desyncMitigationMode: given.desyncMitigationMode ?? 'defensive',
    dropsInvalidHeaders: given.dropsInvalidHeaders ?? false,
    preservesHost: given.preservesHost ?? false,
    addsTlsHeaders: given.addsTlsHeaders ?? false,
    addsClientPort: given.addsClientPort ?? false,
    xffMode: given.xffMode ?? 'append',
    hasHttp2: given.http2 ?? true,
  }
}
