/** Two ways to the same queues, as origins: the emulator's, that clients know, and that of the server behind it. */
export interface Origins {
  readonly near: string
  readonly far: string
}

/** The far URL of the queue that a request names. Nothing else is touched: message bodies may hold URLs too. */
export function rewriteRequest(body: string, { near, far }: Origins): string {
  const fields = jsonOf(body)
  if (fields) return JSON.stringify(withUrls(fields, near, far))
  if (!body.includes('QueueUrl=')) return body
  const form = new URLSearchParams(body)
  form.set('QueueUrl', swapped(form.get('QueueUrl') ?? '', near, far))
  return form.toString()
}

/** The near URLs of the queues that an answer names. */
export function rewriteResponse(body: string, { near, far }: Origins): string {
  const fields = jsonOf(body)
  if (fields) return JSON.stringify(withUrls(fields, far, near))
  return body.replaceAll(/<QueueUrl>([^<]*)<\/QueueUrl>/g, (_all, url: string) => {
    return `<QueueUrl>${swapped(url, far, near)}</QueueUrl>`
  })
}

function withUrls(fields: Readonly<Record<string, unknown>>, from: string, to: string): Record<string, unknown> {
  const { QueueUrl: one, QueueUrls: many } = fields
  return {
    ...fields,
    ...(typeof one === 'string' && { QueueUrl: swapped(one, from, to) }),
    ...(Array.isArray(many) && { QueueUrls: many.map((url) => swapped(String(url), from, to)) }),
  }
}

function swapped(url: string, from: string, to: string): string {
  return url.startsWith(`${from}/`) ? `${to}${url.slice(from.length)}` : url
}

function jsonOf(body: string): Record<string, unknown> | undefined {
  if (!body.startsWith('{')) return undefined
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return undefined
  }
}
