import type { Programme } from './deck.ts'

/** How a stream comes to its end. */
export type Ending =
  /** Says CloseStream, and waits for the rest. */
  | 'CloseStream'
  /** As older clients do. */
  | 'empty frame'
  /** Stops, without KeepAlive, until the other side has had enough. */
  | 'silence'
  /** Closes the socket when all is said: whoever does so wants no more answers, but owes for the audio. */
  | 'clean close'
  | 'reset'
  | 'half-closed'
  /** The connection breaks while the last words are being recognised. */
  | 'CloseStream, reset'
  | 'Finalize, reset'
  /** A message larger than any may be. */
  | 'oversized'
  /** Bytes that are no WebSocket frame. */
  | 'no frame'
  /** Bytes that are no such audio. */
  | 'damaged'

/** Endings after which nothing may be missing. */
export const PROPER: ReadonlySet<Ending> = new Set(['CloseStream', 'empty frame'])

export interface Plan {
  readonly programme: Programme
  /** Of the audio for each second of the clock; infinite: as fast as it goes. */
  readonly speed: number
  readonly interimResults: boolean
  /** As in the query; undefined: the default. */
  readonly endpointing: string | undefined
  readonly vadEvents: boolean
  readonly utteranceEndMs: number | undefined
  readonly compat: 'aldea' | 'deepgram'
  /** Messages after which something else is sent. */
  readonly finalizeAfter: ReadonlySet<number>
  readonly nonsenseAfter: ReadonlySet<number>
  /** A pause of the clock, with KeepAlive, longer than a stream may be idle. */
  readonly pauseAfter: number | undefined
  /** From this message on the client reads nothing for a while. */
  readonly deafAfter: number | undefined
  readonly ending: Ending
  /** So many messages are sent before it ends: all of them, unless it is a break. */
  readonly length: number
}

/** Those that are likelier stand more often. */
const ENDINGS: readonly Ending[] = [
  ...Array<Ending>(12).fill('CloseStream'),
  'empty frame',
  'silence',
  'clean close',
  'clean close',
  'reset',
  'reset',
  'half-closed',
  'CloseStream, reset',
  'Finalize, reset',
  'oversized',
  'no frame',
  'damaged',
]
const SPEEDS = [1, 1, 1, 1, 0.7, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
const ENDPOINTINGS = [undefined, undefined, '300', '10', '100', '1000', 'false']
/** In the middle of what is said, at the latest. */
const MOST_BREAK_PLACE = 0.9
const MOST_FINALIZES = 2

export function planOf(deck: readonly Programme[], random: () => number): Plan {
  const [first] = deck
  if (!first) throw new RangeError('There is nothing to say.')
  const pick = <T>(from: readonly [T, ...T[]] | readonly T[], otherwise: T): T =>
    from[Math.floor(random() * from.length)] ?? otherwise
  const programme = pick(deck, first)
  const { frames } = programme
  const ending = pick(ENDINGS, 'CloseStream')
  const isBroken = !PROPER.has(ending) && ending !== 'clean close' && ending !== 'silence'
  const length = isBroken ? Math.ceil(frames.length * random() * MOST_BREAK_PLACE) : frames.length
  const sometimes = (chance: number): number | undefined =>
    random() < chance ? Math.floor(random() * length) : undefined
  const several = (chance: number): ReadonlySet<number> =>
    new Set(Array.from({ length: MOST_FINALIZES }, () => sometimes(chance)).filter((at) => at !== undefined))
  return {
    programme,
    speed: pick(SPEEDS, 1),
    interimResults: random() < 0.75,
    endpointing: pick(ENDPOINTINGS, undefined),
    vadEvents: random() < 0.5,
    utteranceEndMs: random() < 0.3 ? 1_000 : undefined,
    compat: random() < 0.5 ? 'aldea' : 'deepgram',
    finalizeAfter: several(0.2),
    nonsenseAfter: several(0.05),
    pauseAfter: sometimes(0.06),
    deafAfter: sometimes(0.1),
    ending,
    length,
  }
}

/** A programme said as plainly as can be: what others are measured against. */
export function plainPlan(programme: Programme): Plan {
  return {
    programme,
    speed: Number.POSITIVE_INFINITY,
    interimResults: false,
    endpointing: undefined,
    vadEvents: false,
    utteranceEndMs: undefined,
    compat: 'deepgram',
    finalizeAfter: new Set(),
    nonsenseAfter: new Set(),
    pauseAfter: undefined,
    deafAfter: undefined,
    ending: 'CloseStream',
    length: programme.frames.length,
  }
}

export function queryOf({ programme, interimResults, endpointing, vadEvents, utteranceEndMs, compat }: Plan): string {
  const query = new URLSearchParams(programme.query)
  query.set('interim_results', String(interimResults))
  query.set('vad_events', String(vadEvents))
  query.set('compat', compat)
  if (endpointing !== undefined) query.set('endpointing', endpointing)
  if (utteranceEndMs !== undefined) query.set('utterance_end_ms', String(utteranceEndMs))
  return query.toString()
}

/** In a few words, for whoever looks for the fault. */
export function described(plan: Plan): string {
  const { programme, speed, ending, length, finalizeAfter, nonsenseAfter, pauseAfter, deafAfter } = plan
  const parts = [
    `${programme.name} at ${speed}×`,
    queryOf(plan),
    ...(finalizeAfter.size > 0 ? [`Finalize after ${[...finalizeAfter].join(', ')}`] : []),
    ...(nonsenseAfter.size > 0 ? [`nonsense after ${[...nonsenseAfter].join(', ')}`] : []),
    ...(pauseAfter === undefined ? [] : [`a pause after ${pauseAfter}`]),
    ...(deafAfter === undefined ? [] : [`deaf after ${deafAfter}`]),
    `${ending} after ${length} of ${programme.frames.length}`,
  ]
  return parts.join('; ')
}
