import type { EnvironmentEvent } from '../../core/events.ts'

/** The line a person reads of an event, or nothing. */
export function describeEvent(event: EnvironmentEvent): string | undefined {
  switch (event.type) {
    case 'backend.declined':
      return `▲ ${event.backend}: ${event.adapter} declined: ${event.reason}`
    case 'backend.lost':
      return `▲ ${event.backend}: ${event.reason}`
    case 'backend.restored':
      return `▲ ${event.backend}: back after ${event.awayMs} ms`
    case 'cloud.event':
      return `▲ ${event.subject}: ${event.code === undefined ? '' : `${event.code} `}${event.message}`
    case 'part.failed':
      return `✖ ${event.part}: ${event.message}`
    case 'alb.target-health':
      return event.state === 'unhealthy'
        ? `▲ ${event.targetGroup}: ${event.target} is unhealthy: ${event.reason}`
        : undefined
    case 'log':
      return `  ${event.level.padEnd(5)} ${event.part}  ${event.text}${fieldsText(event.fields)}`
    case 'part.starting':
    case 'part.ready':
    case 'part.stopped':
    case 'alb.access':
      return undefined
  }
}

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`)
  return text.length === 0 ? '' : `  ${text.join(' ')}`
}

function valueText(value: unknown): string {
  if (value instanceof Error) return value.message
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}
