import type { Server } from 'node:http'

/** The load balancer's configuration, in AWS's own terms. */
export interface LoadBalancerConfig {
  readonly name: string
  /** Zones with a node of the balancer. */
  readonly zones: readonly string[]
  readonly listeners: readonly ListenerConfig[]
  readonly targetGroups: readonly TargetGroupConfig[]
  readonly attributes?: LoadBalancerAttributes
}

/** `ModifyLoadBalancerAttributes`; defaults and ranges: aws-behaviour §1.1. */
export interface LoadBalancerAttributes {
  /** `idle_timeout.timeout_seconds`: 1 to 4000, 60 when absent; of both sides, WebSockets too. */
  readonly idleTimeoutSeconds?: number
  /** `client_keep_alive.seconds`: 60 to 604800, 3600 when absent; a connection's age, not its idle time. */
  readonly clientKeepAliveSeconds?: number
  /** `routing.http.desync_mitigation_mode`; `defensive` when absent. */
  readonly desyncMitigationMode?: 'monitor' | 'defensive' | 'strictest'
  /** `routing.http.drop_invalid_header_fields.enabled`: drops what is not `[-A-Za-z0-9]+`. */
  readonly dropsInvalidHeaders?: boolean
  /** `routing.http.preserve_host_header.enabled`. */
  readonly preservesHost?: boolean
  /** `routing.http.x_amzn_tls_version_and_cipher_suite.enabled`. */
  readonly addsTlsHeaders?: boolean
  /** `routing.http.xff_client_port.enabled`. */
  readonly addsClientPort?: boolean
  /** `routing.http.xff_header_processing.mode`; `append` when absent. */
  readonly xffMode?: 'append' | 'preserve' | 'remove'
  /** `routing.http2.enabled`: towards clients of a TLS listener; true when absent. */
  readonly http2?: boolean
}

export interface ListenerConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly rules: readonly Rule[]
  readonly defaultAction: Action
  /** Absent for an HTTP listener. */
  readonly tls?: TlsConfig
}

/** PEM texts. `certificateFor` is asked with the name of the handshake (SNI); undefined gets the default certificate. */
export interface TlsConfig {
  readonly certificateFor: (serverName: string | undefined) => Promise<Certificate>
}

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** As the access log names it. */
  readonly arn: string
}

export interface Rule {
  /** 1 to 50000, unique in the listener; the lowest matching one wins. */
  readonly priority: number
  readonly conditions: readonly Condition[]
  readonly action: Action
  readonly transforms?: readonly Transform[]
}

/** Conditions of a rule are ANDed, values and regular expressions of a condition ORed (aws-behaviour §1.2). */
export type Condition =
  | PatternCondition<'host-header'>
  | PatternCondition<'path-pattern'>
  | (PatternCondition<'http-header'> & { readonly name: string })
  | { readonly field: 'http-request-method'; readonly values: readonly string[] }
  | { readonly field: 'query-string'; readonly values: readonly { readonly key?: string; readonly value: string }[] }
  /** CIDR blocks, compared with the TCP peer. */
  | { readonly field: 'source-ip'; readonly values: readonly string[] }

interface PatternCondition<F extends string> {
  readonly field: F
  readonly values?: readonly string[]
  readonly regexValues?: readonly string[]
}

/** What is rewritten on the way to the target, in order: a regular expression and its replacement with `$1` groups. */
export interface Transform {
  readonly type: 'host-header-rewrite' | 'url-rewrite'
  readonly regex: string
  readonly replace: string
}

export type Action = ForwardAction | RedirectAction | FixedResponseAction

/** To one group, or to one of several by weight. */
export type ForwardAction =
  | { readonly type: 'forward'; readonly targetGroup: string }
  | {
      readonly type: 'forward'
      readonly targetGroups: readonly WeightedTargetGroup[]
      /** 1 to 604800; absent: not sticky. */
      readonly stickinessSeconds?: number
    }

export interface WeightedTargetGroup {
  readonly targetGroup: string
  /** 0 to 999. */
  readonly weight: number
}

/** What is absent stays as it was: the defaults are `#{protocol}`, `#{host}`, `#{port}`, `/#{path}` and `#{query}`. */
export interface RedirectAction {
  readonly type: 'redirect'
  readonly statusCode: 301 | 302
  readonly protocol?: string
  readonly host?: string
  readonly port?: string
  readonly path?: string
  readonly query?: string
}

export interface FixedResponseAction {
  readonly type: 'fixed-response'
  readonly statusCode: number
  readonly contentType: string
  readonly body: string
}

export interface TargetGroupConfig {
  readonly name: string
  readonly healthCheck: HealthCheckConfig
  /** 0 to 3600; 300 when absent (aws-behaviour §1.1). */
  readonly deregistrationDelaySeconds?: number
  /** `load_balancing.algorithm.type`; `round_robin` when absent. */
  readonly algorithm?: 'round_robin' | 'least_outstanding_requests' | 'weighted_random'
  /** 0, or 30 to 900. */
  readonly slowStartSeconds?: number
  readonly stickiness?: Stickiness
  /** `load_balancing.cross_zone.enabled`; true when absent. */
  readonly isCrossZone?: boolean
  /** `target_group_health.unhealthy_state_routing.minimum_healthy_targets`: below it the group fails open. Count 1 when absent. */
  readonly minimumHealthy?: { readonly count?: number; readonly percentage?: number }
}

/** Cookies: aws-behaviour §1.7. Durations from 1 to 604800. */
export type Stickiness =
  | { readonly type: 'lb_cookie'; readonly durationSeconds: number }
  | { readonly type: 'app_cookie'; readonly cookieName: string; readonly durationSeconds: number }

/** Defaults and ranges: aws-behaviour §1.5. */
export interface HealthCheckConfig {
  readonly path: string
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly healthyThreshold: number
  readonly unhealthyThreshold: number
  /** `Matcher.HttpCode`: `200`, `200,202` or `200-299`; `200` when absent. */
  readonly matcher?: string
  /** Of a network target; its traffic port when absent. */
  readonly port?: number
}

/** What a target group sends to: one of two kinds behind one interface (design D3). */
export type Target = InProcessTarget | NetworkTarget

interface TargetBase {
  readonly id: string
  readonly zone: string
  /** Aborts when the task's process is gone: what it had in flight breaks, what comes later is refused. */
  readonly gone: AbortSignal
}

export interface InProcessTarget extends TargetBase {
  readonly kind: 'in-process'
  /** The task's own server; requests and upgrades are handed to it without a connection in between. */
  readonly server: Server
}

/** Reached over TCP through a pool of connections that are kept alive. */
export interface NetworkTarget extends TargetBase {
  readonly kind: 'network'
  readonly host: string
  readonly port: number
}

/** `DescribeTargetHealth`'s states with its reason codes and descriptions; `since` in milliseconds. */
export type TargetHealth =
  | {
      readonly state: 'initial'
      readonly since: number
      readonly reason: 'Elb.InitialHealthChecking'
      readonly description: string
    }
  | { readonly state: 'healthy'; readonly since: number }
  | {
      readonly state: 'unhealthy'
      readonly since: number
      readonly reason: UnhealthyReason
      readonly description: string
    }
  | {
      readonly state: 'draining'
      readonly since: number
      readonly reason: 'Target.DeregistrationInProgress'
      readonly description: string
    }
  /** In a zone without a node of the balancer: nobody checks it, nothing goes there. */
  | {
      readonly state: 'unused'
      readonly since: number
      readonly reason: 'Target.NotInUse'
      readonly description: string
    }

export type UnhealthyReason = 'Target.ResponseCodeMismatch' | 'Target.Timeout' | 'Target.FailedHealthChecks'

export interface TargetHealthDescription {
  readonly target: Target
  readonly health: TargetHealth
}
