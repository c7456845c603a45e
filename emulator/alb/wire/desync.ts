import { type Field, type RequestHead, trimSpaces } from './request-head.ts'

export type Tier = 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe'

/** How dangerous it is to pass a request on, and why (aws-behaviour §1.11): fields 28 and 29 of the access log. */
export interface Verdict {
  readonly tier: Tier
  readonly reason: string
}

const ORDER: readonly Tier[] = ['Compliant', 'Acceptable', 'Ambiguous', 'Severe']
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
// oxlint-disable-next-line no-control-regex
const NUL_OR_CR = /[\0\r]/
// oxlint-disable-next-line no-control-regex
const OUTSIDE_ASCII = /[^\t\x20-\x7e]/
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/
const DIGITS = /^\d{1,15}$/
const CODINGS = new Set(['chunked', 'compress', 'deflate', 'gzip', 'identity'])

/** Each field in which the two ends could see a length, the exactly named ones apart. */
export interface FramingFields {
  readonly lengths: readonly string[]
  readonly codings: readonly string[]
}

export function toFramingFields({ fields }: RequestHead): FramingFields {
  const lengths: string[] = []
  const codings: string[] = []
  for (const { name, value, hasColon, isFold } of fields) {
    if (!hasColon || isFold) continue
    const key = name.toLowerCase()
    if (key === 'content-length') lengths.push(value)
    else if (key === 'transfer-encoding') codings.push(...value.toLowerCase().split(',').map(trimSpaces))
  }
  return { lengths, codings }
}

/** The worst that can be said of the head; of several things equally bad the first. */
export function classify(head: RequestHead, framing: FramingFields): Verdict {
  let worst: Verdict = { tier: 'Compliant', reason: 'Compliant' }
  const note = (tier: Tier, reason: string): void => {
    if (ORDER.indexOf(tier) > ORDER.indexOf(worst.tier)) worst = { tier, reason }
  }
  if (head.hasBareLf) note('Acceptable', 'NonCrLfLineTermination')
  for (const field of head.fields) judgeField(field, note)
  judgeFraming(head, framing, note)
  if (!TOKEN.test(head.method)) note('Severe', 'BadMethod')
  judgeVersion(head.version, note)
  judgeTarget(head.target, note)
  return worst
}

type Note = (tier: Tier, reason: string) => void

function judgeField({ name, value, hasColon, isFold }: Field, note: Note): void {
  if (isFold) note('Ambiguous', 'MultilineHeader')
  else if (!hasColon) note('Ambiguous', trimSpaces(name) === '' ? 'EmptyHeader' : 'MissingHeaderColon')
  if (trimSpaces(name) === '') note('Ambiguous', 'EmptyHeader')
  if (NUL_OR_CR.test(name) || NUL_OR_CR.test(value)) note('Severe', 'BadHeader')
  else if (isLike(name)) note('Ambiguous', 'SuspiciousHeader')
  if (!TOKEN.test(name) || OUTSIDE_ASCII.test(value)) note('Acceptable', 'NonCompliantHeader')
}

/** Whether a careless reader could take the name for one of those that say how long the body is. */
function isLike(name: string): boolean {
  const key = name.toLowerCase()
  if (key === 'content-length' || key === 'transfer-encoding') return false
  const letters = key.replace(/[^a-z]/g, '')
  return letters === 'contentlength' || letters === 'transferencoding'
}

function judgeFraming({ method, version }: RequestHead, { lengths, codings }: FramingFields, note: Note): void {
  const isBodiless = method === 'GET' || method === 'HEAD'
  if (codings.length > 0) {
    if (codings.some((coding) => !CODINGS.has(coding))) note('Severe', 'BadTransferEncoding')
    if (codings.filter((coding) => coding === 'chunked').length > 1) note('Severe', 'MultipleTransferEncodingChunked')
    if (isBodiless || version === 'HTTP/1.0') note('Ambiguous', 'UndefinedTransferEncodingSemantics')
  }
  const [length, ...others] = lengths
  if (length === undefined) return
  if (!lengths.every((each) => DIGITS.test(each))) note('Severe', 'BadContentLength')
  if (others.some((other) => Number(other) !== Number(length))) note('Severe', 'MultipleContentLength')
  if (others.length > 0) note('Ambiguous', 'DuplicateContentLength')
  if (isBodiless && Number(length) === 0) note('Acceptable', 'GetHeadZeroContentLength')
  else if (isBodiless) note('Ambiguous', 'UndefinedContentLengthSemantics')
  if (codings.length > 0) note('Ambiguous', 'BothTeClPresent')
}

function judgeVersion(version: string, note: Note): void {
  const exact = trimSpaces(version)
  if (!/^HTTP\/1\.\d$/.test(exact)) note('Severe', 'BadVersion')
  else if (exact !== version || !/[01]$/.test(exact)) note('Acceptable', 'NonCompliantVersion')
}

function judgeTarget(target: string, note: Note): void {
  if (target === '') note('Severe', 'BadUri')
  else if (NUL_OR_CR.test(target)) note('Severe', 'BadUri')
  else if (CONTROL.test(target)) note('Ambiguous', 'AmbiguousUri')
  else if (target.includes(' ')) note('Acceptable', 'SpaceInUri')
}
