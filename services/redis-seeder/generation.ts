import type { Redis } from 'ioredis'
import { redisKeys } from '../account/redis-keys.ts'
import type { Ids } from '../wire/runtime.ts'

/**
 * Names what Redis holds from here on, so that its loss is noticed at the end of the seeding.
 * @throws Error when a seeding that goes on finds that Redis was emptied since it began.
 */
export async function openGeneration(redis: Redis, ids: Ids, { isResumed }: { isResumed: boolean }): Promise<string> {
  if (!isResumed) await redis.set(redisKeys.generation, ids.uuid(), 'NX')
  const generation = await redis.get(redisKeys.generation)
  if (generation === null) throw emptied()
  return generation
}

/** Marks Redis as seeded. @throws Error when it was emptied meanwhile: then only a part is there. */
export async function markSeeded(redis: Redis, generation: string): Promise<void> {
  if ((await redis.get(redisKeys.generation)) !== generation) throw emptied()
  await redis.set(redisKeys.seeded, generation)
}

function emptied(): Error {
  return new Error('Redis was emptied while it was seeded: begin again with {"seed_all": true}.')
}
