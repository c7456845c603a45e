import type { ControlMessage } from '../../wire/speech.ts'

const TYPES: readonly string[] = ['KeepAlive', 'Finalize', 'CloseStream'] satisfies ControlMessage['type'][]

/** The control message in a text frame; undefined for anything else, which real clients do send and is ignored. */
export function parseControl(text: string): ControlMessage['type'] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('type' in value)) return undefined
    const { type } = value
    return typeof type === 'string' && isControl(type) ? type : undefined
  } catch {
    return undefined
  }
}

function isControl(type: string): type is ControlMessage['type'] {
  return TYPES.includes(type)
}
