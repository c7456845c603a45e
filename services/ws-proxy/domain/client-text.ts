import type { ControlMessage } from '../../wire/speech.ts'

/** What a text frame of a client comes to. */
export type ClientText =
  | ControlMessage
  /** Real clients send it; there is nothing to configure. */
  | { readonly type: 'Ignored' }
  | { readonly type: 'Bad'; readonly description: string }

/** The messages of aldea-api §5. */
export function parseClientText(text: string): ClientText {
  const type = typeIn(text)
  switch (type) {
    case 'KeepAlive':
    case 'Finalize':
    case 'CloseStream':
      return { type }
    case 'Configure':
      return { type: 'Ignored' }
    case undefined:
      return { type: 'Bad', description: 'A text message must be a JSON object with a "type".' }
    default:
      return { type: 'Bad', description: `There is no message type "${type.slice(0, MAX_QUOTED)}".` }
  }
}

const MAX_QUOTED = 40

function typeIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isTyped = typeof value === 'object' && value !== null && 'type' in value
    return isTyped && typeof value.type === 'string' ? value.type : undefined
  } catch {
    return undefined
  }
}
