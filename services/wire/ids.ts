import { randomBytes, randomUUID } from 'node:crypto'
import type { Ids } from './runtime.ts'

/** Unpredictable ids, as in the cloud. */
export const systemIds: Ids = {
  uuid: () => randomUUID(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
}
