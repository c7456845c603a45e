import type { Priority } from '../port.ts'

/** Work that waits for a worker. */
export interface Waiting {
  readonly id: number
  readonly priority: Priority
  /** Of work that was begun early: whether somebody waits for it by now. */
  readonly isDue?: () => boolean
  /** Whose work it is; files count as one together. */
  readonly source?: object
  readonly askedMs: number
}

/** Whose turn it is: the work that ought to begin first. */
export interface Turns<W extends Waiting> {
  readonly size: number
  add(work: W): void
  /** Takes it out, if it is still in. */
  remove(work: W): void
  /** Of the work that is accepted; of all when absent. */
  next(accepts?: (work: W) => boolean): W | undefined
  takeAll(): W[]
  /** What work has taken: whoever had much gives way to the others for a while. */
  charge(work: W, taken: Taken): void
}

export interface Taken {
  readonly computeMs: number
  /** Of audio. */
  readonly windowSeconds: number
  readonly nowMs: number
}

/**
 * How long after it was asked for work ought to begin at the latest. Somebody waits for a final now, for an interim
 * soon, for a file at last; but even a file's piece goes before an interim that was asked for a second later.
 */
const PATIENCE_MS: Readonly<Record<Priority, number>> = { final: 0, interim: 3000, file: 4000 }

/**
 * While live streams keep the workers busy files get a tenth of one: after each millisecond of work on files their next
 * piece counts as asked for so much later.
 */
const FILES_GIVE_WAY = 10
/**
 * Finals of speech in real time are of two seconds of audio a second, with what was heard before them, and rarely of
 * six. A client that has eight sends a file as fast as it goes: of each second of audio it pays this.
 */
const DEBT_MS_PER_SECOND = 125
/** Even so it goes on, slowly, however many others speak. */
const MOST_DEBT_MS = 5000

const FILES = {}

export function createTurns<W extends Waiting>(): Turns<W> {
  const waiting = new Set<W>()
  /** When a source has paid for what it had. */
  const freeAtMs = new WeakMap<object, number>()

  function deadlineOf(work: W): number {
    const priority = work.isDue?.() === false ? 'interim' : work.priority
    const patienceMs = PATIENCE_MS[priority]
    const source = sourceOf(work)
    // Of interims no source has more than one at a time: they take turns anyhow.
    const freeMs = source && work.priority !== 'interim' ? freeAtMs.get(source) : undefined
    return Math.max(work.askedMs, freeMs ?? work.askedMs) + patienceMs
  }

  return {
    get size() {
      return waiting.size
    },
    add(work) {
      waiting.add(work)
    },
    remove(work) {
      waiting.delete(work)
    },
    next(accepts = () => true) {
      let first: W | undefined
      let earliestMs = Number.POSITIVE_INFINITY
      // In the order they came, so that equals keep it.
      for (const work of waiting) {
        const deadlineMs = deadlineOf(work)
        if (deadlineMs >= earliestMs || !accepts(work)) continue
        first = work
        earliestMs = deadlineMs
      }
      if (first) waiting.delete(first)
      return first
    },
    takeAll() {
      const all = [...waiting]
      waiting.clear()
      return all
    },
    charge(work, { computeMs, windowSeconds, nowMs }) {
      const source = sourceOf(work)
      if (!source || work.priority === 'interim') return
      const debtMs = work.priority === 'file' ? FILES_GIVE_WAY * computeMs : DEBT_MS_PER_SECOND * windowSeconds
      const freeMs = Math.max(nowMs, freeAtMs.get(source) ?? nowMs) + debtMs
      freeAtMs.set(source, Math.min(nowMs + MOST_DEBT_MS, freeMs))
    },
  }
}

function sourceOf({ priority, source }: Waiting): object | undefined {
  return priority === 'file' ? FILES : source
}
