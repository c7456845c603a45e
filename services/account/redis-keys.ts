/** Names in Redis. The first three are those of the architecture's own documents. */
export const redisKeys = {
  /** String: the organisation's id. */
  apiKey: (hash: string) => `apikey:${hash}`,
  /** Set of key hashes. */
  apiKeys: (organisation: string) => `org:${organisation}:api_keys`,
  /** Hash. */
  limits: (organisation: string) => `org:${organisation}:limits`,
  /** Sorted set: id of an open connection → when its lease runs out, in epoch milliseconds. */
  connections: (organisation: string) => `org:${organisation}:connections`,
  /** Counter of the requests of one minute. */
  requests: (organisation: string, minute: number) => `org:${organisation}:requests:${minute}`,
  /** Stream: one entry for each file or live stream. */
  usageEvents: 'usage:events',
  /** String: names this filling of Redis. Gone or another one: Redis was emptied since. */
  generation: 'sync:generation',
  /** String: there once every organisation has been copied; gone when Redis came back empty. */
  seeded: 'sync:seeded',
  /** String with an expiry: whoever sets it is the one to have Redis seeded. */
  seeding: 'sync:seeding',
} as const
