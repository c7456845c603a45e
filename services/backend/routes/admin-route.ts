import type { Pool } from 'pg'
import { ApiError } from '../../wire/api-error.ts'
import type { Runtime } from '../../wire/runtime.ts'
import type { WriteThrough } from '../write-through.ts'

/** What the routes of the platform work with. */
export interface AdminDeps extends Pick<Runtime, 'clock' | 'ids'> {
  readonly adminToken: string
  readonly pool: Pool
  readonly writeThrough: WriteThrough
}

export function unknownOrganisation(id: string): ApiError {
  return new ApiError(404, `There is no organisation ${id}.`)
}
