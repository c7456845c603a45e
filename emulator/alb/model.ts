import type { Server } from 'node:http'

/** The load balancer's configuration, in AWS's own terms. */
export interface LoadBalancerConfig {
  readonly name: string
  /** Zones with a node of the balancer. */
  readonly zones: readonly string[]
  readonly listeners: readonly ListenerConfig[]
  readonly targetGroups: readonly TargetGroupConfig[]
}

export interface ListenerConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly rules: readonly Rule[]
  readonly defaultAction: Action
}

export interface Rule {
  /** 1 to 50000, unique in the listener; the lowest matching one wins. */
  readonly priority: number
  readonly conditions: readonly Condition[]
  readonly action: Action
}

/** Conditions of a rule are ANDed, values of a condition ORed. */
export type Condition =
  | { readonly field: 'host-header'; readonly values: readonly string[] }
  | { readonly field: 'path-pattern'; readonly values: readonly string[] }
  | { readonly field: 'http-request-method'; readonly values: readonly string[] }
  | { readonly field: 'http-header'; readonly name: string; readonly values: readonly string[] }

export type Action = ForwardAction | FixedResponseAction

export interface ForwardAction {
  readonly type: 'forward'
  readonly targetGroup: string
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
}

/** Defaults and ranges: aws-behaviour §1.5. */
export interface HealthCheckConfig {
  readonly path: string
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly healthyThreshold: number
  readonly unhealthyThreshold: number
}

/** What a target group sends to. */
export interface Target {
  readonly id: string
  readonly zone: string
  readonly kind: 'in-process'
  /** The task's own server; requests and upgrades are handed to it without a connection in between. */
  readonly server: Server
  /** Aborts when the task's process is gone: what it had in flight breaks, what comes later is refused. */
  readonly gone: AbortSignal
}

/** `DescribeTargetHealth`'s states with its reason codes and descriptions; `since` in milliseconds. */
export type TargetHealth =
  | { readonly state: 'initial'; readonly since: number; readonly reason: 'Elb.InitialHealthChecking' }
  | { readonly state: 'healthy'; readonly since: number }
  | {
      readonly state: 'unhealthy'
      readonly since: number
      readonly reason: UnhealthyReason
      readonly description: string
    }
  | { readonly state: 'draining'; readonly since: number; readonly reason: 'Target.DeregistrationInProgress' }

export type UnhealthyReason = 'Target.ResponseCodeMismatch' | 'Target.Timeout' | 'Target.FailedHealthChecks'

export interface TargetHealthDescription {
  readonly target: Target
  readonly health: TargetHealth
}
