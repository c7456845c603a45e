import { mapInParallel } from '../../../services/stt/engines/in-parallel.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { seededRandom } from '../../../services/wire/seeded-random.ts'
import { editDistance, normalisedWords, type WordErrors, wordErrors } from '../../wer.ts'
import type { Programme } from './deck.ts'
import { probe, type Sent, sendFile } from './files.ts'
import type { Hosted } from './hosted.ts'
import { type Baseline, baselineOf, describedResult, faultsOf, finalsOf, textOf } from './judge.ts'
import { described, plainPlan, planOf, PROPER } from './plan.ts'
import type { Due } from './quiet.ts'
import type { Door } from './connection.ts'
import { speak, type Spoken } from './speaker.ts'

export interface Round {
  /** Usage that has to be in the ledger soon. */
  readonly due: readonly Due[]
  readonly faults: readonly string[]
}

export interface Rounds {
  run(forMs: number): Promise<Round>
  /** Says one stream again, by itself. */
  repeat(number: number): Promise<{ readonly heard: string; readonly faults: readonly string[] }>
  readonly streams: number
  /** What was done, and how often. */
  readonly counts: ReadonlyMap<string, number>
  /** Of the streams that ended well, and of the same audio undisturbed. */
  readonly errors: readonly WordErrors[]
  readonly plainErrors: readonly WordErrors[]
}

export interface RoundsOptions {
  readonly host: Hosted
  readonly deck: readonly Programme[]
  readonly seed: number
}

/** Few enough for two cores, of which the drill uses some itself. */
const STREAMS_AT_ONCE = 6
const MOST_FILE_GAP_MS = 3_000
/** A speech server dies in every other round, so that there are rounds in which nothing excuses a missing word. */
const KILL_EVERY = 2
/** The undisturbed programmes one after the other would take a minute. */
const PLAIN_AT_ONCE = 3
/** Of its letters: the small model hears "my fellow Americans" alone as "am I fell in America", which is 27 %. */
const MOST_OTHER_LETTERS = 0.3

export async function createRounds({ host, deck, seed }: RoundsOptions): Promise<Rounds> {
  const door: Door = host.places
  const servers = Object.keys(host.places.speechServers)
  const counts = new Map<string, number>()
  const baselines = new Map<Programme, Baseline>()
  const errors: WordErrors[] = []
  const plainErrors: WordErrors[] = []
  let due: Due[] = []
  let faults: string[] = []
  let streams = 0
  let rounds = 0
  let kills = 0

  await mapInParallel(deck, PLAIN_AT_ONCE, async (programme) => {
    const spoken = await speak(door, plainPlan(programme), seededRandom(seed))
    const baseline = baselineOf(spoken)
    baselines.set(programme, baseline)
    const compared = wordErrors(programme.words, textOf(spoken))
    plainErrors.push(compared)
    owe(spoken, 'undisturbed')
    const found = faultsOf(spoken, baseline, { isKilled: false })
    const [said, heard] = [lettersOf(programme.words), lettersOf(textOf(spoken))]
    if (editDistance(said, heard) > MOST_OTHER_LETTERS * said.length) found.push(`it says "${textOf(spoken)}"`)
    faults.push(...found.map((fault) => `${programme.name}, undisturbed: ${fault}`))
  })

  return {
    counts,
    errors,
    plainErrors,
    get streams() {
      return streams
    },
    async run(forMs) {
      const end = systemClock.now() + forMs
      const random = seededRandom(seed + rounds)
      rounds += 1
      const lanes = Array.from({ length: STREAMS_AT_ONCE }, () => speakUntil(end))
      await Promise.all([...lanes, sendFilesUntil(end, random), killWithin(forMs, random)])
      take(await probe(door), 'the probe')
      const round = { due, faults }
      due = []
      faults = []
      return round
    },
    async repeat(number) {
      const spoken = await speakNumbered(number)
      return { heard: finalsOf(spoken).map(describedResult).join('\n'), faults }
    },
  }

  async function speakUntil(end: number): Promise<void> {
    while (systemClock.now() < end && !host.hasExited) {
      streams += 1
      await speakNumbered(streams)
    }
  }

  async function speakNumbered(number: number): Promise<Spoken> {
    // By its number alone, whichever lane it falls to.
    const random = seededRandom(seed * 1_000 + number)
    const plan = planOf(deck, random)
    const killsBefore = kills
    const spoken = await speak(door, plan, random)
    const baseline = baselines.get(plan.programme) ?? { seconds: 0, words: [] }
    const found = faultsOf(spoken, baseline, { isKilled: kills > killsBefore })
    const name = `stream ${number} (${described(plan)})`
    faults.push(...found.map((fault) => `${name}: ${fault}`))
    count(plan.ending)
    owe(spoken, name)
    if (PROPER.has(plan.ending)) errors.push(wordErrors(plan.programme.words, textOf(spoken)))
    return spoken
  }

  async function sendFilesUntil(end: number, random: () => number): Promise<void> {
    while (systemClock.now() < end && !host.hasExited) {
      const killsBefore = kills
      const sent = await sendFile(door, random, () => kills > killsBefore)
      count(sent.kind)
      take(sent, 'a file')
      await systemClock.sleep(random() * MOST_FILE_GAP_MS)
    }
  }

  async function killWithin(ms: number, random: () => number): Promise<void> {
    if (rounds % KILL_EVERY !== 0) return
    await systemClock.sleep(ms * (0.2 + 0.6 * random()))
    const server = servers[Math.floor(random() * servers.length)]
    if (server === undefined) return
    kills += 1
    count(`${server} killed`)
    host.kill(server)
  }

  function take({ requestId, seconds, faults: found }: Sent, what: string): void {
    faults.push(...found.map((fault) => `${what}: ${fault}`))
    if (requestId !== undefined) due.push({ requestId, what, leastSeconds: seconds, mostSeconds: seconds })
  }

  /** Who breaks off pays for what was heard until then, and nobody for more than was sent. */
  function owe({ plan, messages, sentSeconds }: Spoken, what: string): void {
    const opening = messages.find((message) => message.type === 'Opening')
    if (!opening) return
    const isWhole = PROPER.has(plan.ending) || plan.ending === 'clean close' || plan.ending === 'silence'
    const known = isWhole ? (baselines.get(plan.programme)?.seconds ?? sentSeconds) : undefined
    due.push({
      requestId: opening.requestId,
      what,
      leastSeconds: known ?? 0,
      mostSeconds: known ?? sentSeconds + plan.programme.frameSeconds,
    })
  }

  function count(what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
}

function lettersOf(text: string): string[] {
  return Array.from(normalisedWords(text).join(''))
}
