/** The members of a JSON object, or none for any other text: a client reads what it knows and lets the rest pass. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return toObject(JSON.parse(text))
  } catch {
    return {}
  }
}

export function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The best transcript of a channel, in answers and in messages of a stream alike. */
export function transcriptOf(channel: unknown): string | undefined {
  const [best] = toList(toObject(channel)['alternatives'])
  const { transcript } = toObject(best)
  return typeof transcript === 'string' ? transcript : undefined
}
