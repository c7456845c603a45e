import type { Input, Output } from './action.ts'
import { QueueError, toQueueError } from './errors.ts'
import { readEntries, readText } from './input.ts'
import { MAX_BATCH_ENTRIES } from './limits.ts'

/** Runs each entry by itself; those that are refused are answered beside the others. @throws QueueError of the batch */
export function runBatch(input: Input, entryName: string, run: (entry: Input, id: string) => Output): Output {
  const successful: Output[] = []
  const failed: Output[] = []
  for (const { id, entry } of checkEntries(readEntries(input, 'Entries'), entryName)) {
    try {
      successful.push({ Id: id, ...run(entry, id) })
    } catch (thrown) {
      if (!(thrown instanceof QueueError)) throw thrown
      const { code, status, message } = toQueueError(thrown)
      failed.push({ Id: id, SenderFault: status === 400, Code: code, Message: message })
    }
  }
  return {
    ...(successful.length > 0 ? { Successful: successful } : {}),
    ...(failed.length > 0 ? { Failed: failed } : {}),
  }
}

const ENTRY_ID = /^[\w-]{1,80}$/

function checkEntries(entries: readonly Input[], entryName: string): { id: string; entry: Input }[] {
  if (entries.length === 0) {
    throw new QueueError('EmptyBatchRequest', `There should be at least one ${entryName} in the request.`)
  }
  if (entries.length > MAX_BATCH_ENTRIES) {
    throw new QueueError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_BATCH_ENTRIES}. You have sent ${entries.length}.`,
    )
  }
  const seen = new Set<string>()
  return entries.map((entry) => {
    const id = readText(entry, 'Id') ?? ''
    if (!ENTRY_ID.test(id)) {
      throw new QueueError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      )
    }
    if (seen.has(id)) throw new QueueError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`)
    seen.add(id)
    return { id, entry }
  })
}
