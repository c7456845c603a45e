import { randomBytes } from 'node:crypto'
import type { Ids } from './runtime.ts'
import { createUuids } from './uuids.ts'

/** Unpredictable ids, as in the cloud. */
export const systemIds: Ids = {
  uuid: createUuids(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
}
