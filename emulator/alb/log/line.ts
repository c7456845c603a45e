import type { AccessRecord } from '../../core/events.ts'
import type { AwsNames } from '../names.ts'

/** The log keeps this much of a user agent (aws-behaviour §1.16). */
const MAX_USER_AGENT_LENGTH = 8 * 1024

/** The 34 fields of one line of the access log in AWS's order, without a line end. `at` is when the answer ended. */
export function toLogLine(record: AccessRecord, at: number, names: AwsNames): string {
  const target = toTarget(record)
  const { targetStatus, targetGroup, tls, transformedHost, transformedUrl } = record
  const isTransformed = transformedHost !== undefined || transformedUrl !== undefined
  const fields = [
    record.kind,
    toTime(at),
    names.loadBalancer,
    record.client,
    target,
    ...toDurations(record, at),
    record.status,
    targetStatus ?? '-',
    record.receivedBytes,
    record.sentBytes,
    quoted(toRequest(record)),
    quoted(record.userAgent?.slice(0, MAX_USER_AGENT_LENGTH)),
    tls?.cipher ?? '-',
    tls?.protocol ?? '-',
    targetGroup === undefined ? '-' : names.targetGroupArn(targetGroup),
    quoted(record.traceId),
    quoted(tls?.serverName),
    quoted(tls?.isReused === true ? 'session-reused' : tls?.certificateArn),
    toPriority(record.rule),
    toTime(record.startedAt),
    quoted(record.action),
    quoted(record.redirectUrl),
    quoted(record.errorReason),
    quoted(target),
    quoted(targetStatus?.toString()),
    quoted(record.classification),
    quoted(record.classificationReason),
    record.connectionTraceId,
    quoted(transformedHost),
    quoted(transformedUrl),
    quoted(isTransformed ? 'TransformSuccess' : undefined),
    record.nodeAddress,
  ]
  return fields.join(' ')
}

/** A target in this process has no address: its task's id stands there, with a port that nobody has. */
function toTarget({ target, targetAddress }: AccessRecord): string {
  if (targetAddress !== undefined) return targetAddress
  return target === undefined ? '-' : `${target}:0`
}

/** Until it went to the target, until the target answered, until the answer was out; `-1` for what was not reached. */
function toDurations({ startedAt, routedAt, answeredAt, status, targetStatus }: AccessRecord, at: number): string[] {
  if (routedAt === undefined) return ['-1', '-1', '-1']
  const request = toSeconds(routedAt - startedAt)
  if (targetStatus === undefined) {
    // A connection that broke has a time; one that was given up, by either side, has none.
    return [request, status === BAD_GATEWAY ? toSeconds(at - routedAt) : '-1', '-1']
  }
  if (answeredAt === undefined) return [request, toSeconds(status === SWITCHED ? 0 : at - routedAt), '0.000']
  return [request, toSeconds(answeredAt - routedAt), status === SWITCHED ? '0.000' : toSeconds(at - answeredAt)]
}

const BAD_GATEWAY = 502
/** What follows is no answer's body: a socket may live for hours. */
const SWITCHED = 101

function toSeconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

/** `GET http://host:port/path HTTP/1.1`; a WebSocket is `http` or `https` here. */
function toRequest({ kind, method, url, authority, httpVersion, nodeAddress, listenerPort }: AccessRecord): string {
  const protocol = kind === 'http' || kind === 'ws' ? 'http' : 'https'
  if (method === '-') return `- ${protocol}://${nodeAddress}:${listenerPort}- -`
  return `${method} ${toUrl(protocol, { url, authority, listenerPort })} HTTP/${httpVersion}`
}

type Place = Pick<AccessRecord, 'url' | 'authority' | 'listenerPort'>

function toUrl(protocol: string, { url, authority, listenerPort }: Place): string {
  if (/^https?:/i.test(url)) return url
  const host = /:\d+$/.test(authority) ? authority : `${authority}:${listenerPort}`
  return `${protocol}://${host}${url}`
}

function toPriority(rule: AccessRecord['rule']): number | '-' {
  return rule === 'default' ? 0 : (rule ?? '-')
}

/** Whatever a client sends, a line stays a line and a field a field. nginx's way; AWS documents none. */
function quoted(text: string | undefined): string {
  if (text === undefined || text === '') return '"-"'
  return `"${text.replaceAll(UNSAFE, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)}"`
}

const UNSAFE = /["\\]|[^ -~]/g

/** AWS writes microseconds; the emulator's clocks know milliseconds. */
function toTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
