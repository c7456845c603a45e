/**
 * Which messages of a batch a function's answer calls failed, as `ReportBatchItemFailures` has it. No list is success;
 * a list that cannot be understood fails the whole batch, so that nothing is lost.
 */
export function failedOf(payload: string, messageIds: readonly string[]): ReadonlySet<string> {
  const failures = failuresIn(JSON.parse(payload))
  if (failures === undefined) return new Set(messageIds)
  const known = new Set(messageIds)
  return failures.every((id) => id !== undefined && known.has(id)) ? new Set(failures as string[]) : known
}

/** Undefined for what is no such answer, and in the place of an identifier that is none. */
function failuresIn(result: unknown): readonly (string | undefined)[] | undefined {
  if (result === null || result === '') return []
  if (typeof result !== 'object' || Array.isArray(result)) return undefined
  const list: unknown = 'batchItemFailures' in result ? result.batchItemFailures : undefined
  if (list === undefined || list === null) return []
  return Array.isArray(list) ? list.map(identifierIn) : undefined
}

function identifierIn(item: unknown): string | undefined {
  const isItem = typeof item === 'object' && item !== null && 'itemIdentifier' in item
  return isItem && typeof item.itemIdentifier === 'string' ? item.itemIdentifier : undefined
}
