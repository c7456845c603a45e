import type { ServerResponse } from 'node:http'
import { ClientResponse } from './client-response.ts'
import type { FixedResponseAction } from './model.ts'
import { type OwnStatus, TITLES } from './own-status.ts'
import type { Redirect } from './rules/redirect.ts'

const REDIRECT_TITLES = { 301: 'Moved Permanently', 302: 'Found' } as const

const SERVER = 'awselb/2.0'

/** nginx's way to keep browsers from showing a page of their own; the balancer inherited it. */
const PADDING = '<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n'.repeat(6)
const PADDED_USER_AGENT = /Chrome\/|MSIE /

/** Ends `response` with one of the balancer's own pages. Does nothing once the head of another answer is out. */
export function answer(response: ServerResponse, status: OwnStatus, nowMs: number): void {
  const { headers } = response.req
  send(response, nowMs, {
    status,
    title: TITLES[status],
    contentType: 'text/html',
    body: status === 463 ? '' : toPaddedPage(status, headers['user-agent']),
  })
}

/** Answers in the place of a program that has been given the response and may still write to it. */
export function takeOver(response: ServerResponse, status: OwnStatus, nowMs: number): void {
  response.on('error', () => undefined)
  if (response.headersSent) response.destroy()
  else answer(response, status, nowMs)
}

export function answerFixed(response: ServerResponse, action: FixedResponseAction, nowMs: number): void {
  const isText = action.contentType.startsWith('text/') && !action.contentType.includes('charset')
  send(response, nowMs, {
    status: action.statusCode,
    title: undefined,
    contentType: isText ? `${action.contentType}; charset=utf-8` : action.contentType,
    body: action.body,
  })
}

/** A redirect with nginx's page for it. */
export function answerRedirect(response: ServerResponse, { statusCode, location }: Redirect, nowMs: number): void {
  const title = REDIRECT_TITLES[statusCode]
  const body = toPage(`${statusCode} ${title}`)
  send(response, nowMs, { status: statusCode, title, contentType: 'text/html', body, location })
}

/** A whole answer for a connection whose request could not be read, or which is no longer HTTP; the connection ends. */
export function toRawAnswer(status: OwnStatus, nowMs: number, lines = ''): string {
  return toRaw(status, toPage(`${status} ${TITLES[status]}`), nowMs, lines)
}

const PLAIN_HTTP = 'The plain HTTP request was sent to HTTPS port'

/** The same for a client that speaks HTTP where TLS is spoken. */
export function toPlainHttpAnswer(nowMs: number): string {
  const heading = `400 ${TITLES[400]}`
  const page = toPage(`400 ${PLAIN_HTTP}`, [`<center><h1>${heading}</h1></center>`, `<center>${PLAIN_HTTP}</center>`])
  return toRaw(400, page, nowMs)
}

function toRaw(status: OwnStatus, page: string, nowMs: number, lines = ''): string {
  const head = [
    `HTTP/1.1 ${status} ${TITLES[status]}`,
    `Server: ${SERVER}`,
    `Date: ${toDate(nowMs)}`,
    'Content-Type: text/html',
    `Content-Length: ${page.length}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n${lines}\r\n${page}`
}

interface Content {
  readonly status: number
  /** Undefined: the status's usual phrase. */
  readonly title: string | undefined
  readonly contentType: string
  readonly body: string
  /** Of a redirect. */
  readonly location?: string
}

function send(response: ServerResponse, nowMs: number, { status, title, contentType, body, location }: Content): void {
  if (response.headersSent || response.destroyed) return
  if (response instanceof ClientResponse) response.isOwn = true
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  // In the order that the real balancer writes them in.
  const headers = {
    Server: SERVER,
    Date: toDate(nowMs),
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    Connection: response.shouldKeepAlive ? 'keep-alive' : 'close',
    ...(location !== undefined && { Location: location }),
  }
  if (title === undefined) response.writeHead(status, headers)
  else response.writeHead(status, title, headers)
  response.end(body)
}

function toPaddedPage(status: OwnStatus, userAgent: string | undefined): string {
  const page = toPage(`${status} ${TITLES[status]}`)
  return userAgent !== undefined && PADDED_USER_AGENT.test(userAgent) ? page + PADDING : page
}

function toPage(title: string, body: readonly string[] = [`<center><h1>${title}</h1></center>`]): string {
  const lines = ['<html>', `<head><title>${title}</title></head>`, '<body>', ...body, '</body>', '</html>']
  return `${lines.join('\r\n')}\r\n`
}

function toDate(nowMs: number): string {
  return new Date(nowMs).toUTCString()
}
