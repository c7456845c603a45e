import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { ApiError } from '../../wire/api-error.ts'
import type { Runtime } from '../../wire/runtime.ts'
import type { WriteThrough } from '../write-through.ts'
import type { SchemaApi } from './schemas.ts'

/** What the routes of the platform work with. */
export interface RouteDeps extends Pick<Runtime, 'clock' | 'ids'> {
  readonly adminToken: string
  readonly pool: Pool
  readonly redis: Redis
  readonly writeThrough: WriteThrough
}

/** Adds one route, or a few that belong together. */
export type AddRoute = (api: SchemaApi, deps: RouteDeps) => void

export function unknownOrganisation(id: string): ApiError {
  return new ApiError(404, `There is no organisation ${id}.`)
}
