import type { AccessRecord } from '../../core/events.ts'
import type { AwsNames } from '../names.ts'

/** The log keeps this much of a user agent (aws-behaviour §1.16). */
const MAX_USER_AGENT_LENGTH = 8 * 1024

/** The 34 fields of one line of the access log in AWS's order, without a line end. `at` is when the answer ended. */
export function toLogLine(record: AccessRecord, at: number, names: AwsNames): string {
  const target = toTarget(record)
  const { targetStatus, targetGroup, tls, transformedHost, transformedUrl } = record
  const isTransformed = transformedHost !== undefined || transformedUrl !== undefined
  const arn = targetGroup === undefined ? '-' : names.targetGroupArn(targetGroup)
  const certificate = tls?.isReused === true ? 'session-reused' : tls?.certificateArn
  // One text after the other: a list of fields took three times as long, for every request.
  const connection = `${record.kind} ${toTime(at)} ${names.loadBalancer} ${record.client} ${target}`
  const answer = `${toDurations(record, at)} ${record.status} ${targetStatus ?? '-'}`
  const request = `${record.receivedBytes} ${record.sentBytes} ${quoted(toRequest(record))} ${quoted(toUserAgent(record))}`
  const security = `${tls?.cipher ?? '-'} ${tls?.protocol ?? '-'} ${arn} ${quoted(record.traceId)}`
  const rule = `${quoted(tls?.serverName)} ${quoted(certificate)} ${toPriority(record.rule)} ${toTime(record.startedAt)}`
  const action = `${quoted(record.action)} ${quoted(record.redirectUrl)} ${quoted(record.errorReason)}`
  const targets = `${quoted(target)} ${targetStatus === undefined ? NONE : `"${targetStatus}"`}`
  const desync = `${quoted(record.classification)} ${quoted(record.classificationReason)} ${record.connectionTraceId}`
  const transforms = `${quoted(transformedHost)} ${quoted(transformedUrl)} ${isTransformed ? '"TransformSuccess"' : NONE}`
  const whole = `${connection} ${answer} ${request} ${security} ${rule} ${action} ${targets} ${desync} ${transforms}`
  return `${whole} ${record.nodeAddress}`
}

function toUserAgent({ userAgent }: AccessRecord): string | undefined {
  return userAgent !== undefined && userAgent.length > MAX_USER_AGENT_LENGTH
    ? userAgent.slice(0, MAX_USER_AGENT_LENGTH)
    : userAgent
}

/** A target in this process has no address: its task's id stands there, with a port that nobody has. */
function toTarget({ target, targetAddress }: AccessRecord): string {
  if (targetAddress !== undefined) return targetAddress
  return target === undefined ? '-' : `${target}:0`
}

/** Until it went to the target, until the target answered, until the answer was out; `-1` for what was not reached. */
function toDurations({ startedAt, routedAt, answeredAt, status, targetStatus }: AccessRecord, at: number): string {
  if (routedAt === undefined) return '-1 -1 -1'
  const request = toSeconds(routedAt - startedAt)
  if (targetStatus === undefined) {
    // A connection that broke has a time; one that was given up, by either side, has none.
    return `${request} ${status === BAD_GATEWAY ? toSeconds(at - routedAt) : '-1'} -1`
  }
  const isSocket = status === SWITCHED
  if (answeredAt === undefined) return `${request} ${isSocket ? ZERO : toSeconds(at - routedAt)} ${ZERO}`
  return `${request} ${toSeconds(answeredAt - routedAt)} ${isSocket ? ZERO : toSeconds(at - answeredAt)}`
}

const BAD_GATEWAY = 502
/** What follows is no answer's body: a socket may live for hours. */
const SWITCHED = 101

const ZERO = '0.000'

/** With three decimals. A clock that was set back in between leaves no time. */
function toSeconds(ms: number): string {
  const whole = Math.max(0, Math.round(ms))
  return `${Math.floor(whole / 1000)}.${THOUSANDTHS[whole % 1000]}`
}

const THOUSANDTHS = Array.from({ length: 1000 }, (_, thousandths) => String(thousandths).padStart(3, '0'))

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
  if (text === undefined || text === '') return NONE
  if (!UNSAFE.test(text)) return `"${text}"`
  return `"${text.replaceAll(ALL_UNSAFE, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)}"`
}

const NONE = '"-"'
const UNSAFE = /["\\]|[^ -~]/
const ALL_UNSAFE = new RegExp(UNSAFE, 'g')

/** AWS writes microseconds; the emulator's clocks know milliseconds. What many requests share is written once. */
function toTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== latestSecond) {
    latestSecond = second
    latestPrefix = new Date(second * 1000).toISOString().slice(0, '2018-07-02T22:23:00'.length)
  }
  return `${latestPrefix}.${THOUSANDTHS[Math.floor(ms - second * 1000)]}000Z`
}

let latestSecond = Number.NaN
let latestPrefix = ''
