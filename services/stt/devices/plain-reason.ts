/** What a loader prints about a library that another one needs. */
const MISSING_LIBRARY = /([\w./+-]+): cannot open shared object file/g

const MAX_CHARS = 200

/**
 * What a person can use of a failure in onnxruntime: without places in its sources and the conditions that did not
 * hold. Which library is missing it only prints.
 */
export function plainReason(message: string, printed: string): string {
  const missing = [...printed.matchAll(MISSING_LIBRARY)].at(-1)?.[1]
  if (missing !== undefined) return `${missing} cannot be loaded`
  const [line = ''] = message
    .replace(/^.* was false\.\s*/s, '')
    .trim()
    .split('\n')
  const text = line.replace(/\/onnxruntime_src\/\S+\s*/g, '').trim()
  if (text === '') return 'it failed without saying why'
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text
}
