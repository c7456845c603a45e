import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AldeaError } from '../../../core/errors.ts'
import type { JournalRecord } from './records.ts'

/** A file that grows by a line for each change. What was written survives the end of this process by any signal. */
export interface Journal {
  /**
   * Takes a record; it is written at the end of this turn, together with others.
   * @param isVerbatim that no string in it has a character that JSON would escape
   */
  append(record: JournalRecord, isVerbatim?: boolean): void
  /** Calls back when all that was appended so far is written: at once when it is already. */
  whenWritten(done: (error: Error | undefined) => void): void
  /** Writes the rest and closes the file. */
  close(): void
}

export interface JournalOptions {
  readonly path: string
  /** Everything that still counts, in as few records as it takes; asked for when much of the file no longer does. */
  snapshot(): Iterable<JournalRecord>
  /** Roughly how many bytes that will be. */
  liveBytes(): number
  /** Files below are never rewritten. */
  readonly compactAboveBytes?: number
}

const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024
/** Rewritten when this many times as large as what it holds. */
const SLACK = 3
const OWNER_ONLY = 0o600
const ROOM_BYTES = 64 * 1024
/** UTF-8 of a code unit of UTF-16. */
const MAX_BYTES_A_UNIT = 3

/**
 * The records of a journal. A last line that was being written when the process ended is cut off: nobody was told yet
 * that it is kept. @throws ALDEA_STATE_MISMATCH when another line is not a record.
 */
export function readJournal(path: string): JournalRecord[] {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'a+', OWNER_ONLY)
  try {
    const bytes = readFileSync(file)
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end < bytes.length) ftruncateSync(file, end)
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    return lines.map((line, index) => parseRecord(line, index + 1, path))
  } finally {
    closeSync(file)
  }
}

const NEWLINE = 0x0a

/** Goes on with the journal at `path`, which has been read. */
export function openJournal(options: JournalOptions): Journal {
  const { path, compactAboveBytes = COMPACT_ABOVE_BYTES } = options
  let file = openSync(path, 'a', OWNER_ONLY)
  let sizeBytes = readFileSync(path).length
  /** Below, nobody asks whether it is worth rewriting: that takes a look at every message. */
  let reviewAtBytes = Math.max(compactAboveBytes, 2 * sizeBytes)
  let lines: string[] = []
  /** Where a turn's lines become bytes: memory of their own would take longer to get than to fill. */
  const room = Buffer.allocUnsafe(ROOM_BYTES)
  /** What a full disk left over of an earlier turn. */
  let unwritten: Buffer = Buffer.alloc(0)
  let waiting: ((error: Error | undefined) => void)[] = []
  let isScheduled = false
  let isClosed = false

  function flush(): void {
    isScheduled = false
    const done = waiting
    waiting = []
    const error = attempt(writeLines)
    for (const tell of done) tell(error)
    if (!error && isWasteful()) attempt(compact)
  }

  function writeLines(): void {
    // The number of a closed file may be another file's by now.
    if (isClosed) throw new Error(`The journal ${path} is closed.`)
    if (lines.length > 0) {
      const added = encode(lines.join(''))
      unwritten = unwritten.length === 0 ? added : Buffer.concat([unwritten, added])
      lines = []
    }
    try {
      while (unwritten.length > 0) {
        const written = writeSync(file, unwritten)
        sizeBytes += written
        unwritten = unwritten.subarray(written)
      }
    } catch (error) {
      // The room is written over by what comes next.
      unwritten = Buffer.from(unwritten)
      throw error
    }
  }

  /** The bytes of a text, until the next one's are asked for. */
  function encode(text: string): Buffer {
    const fits = text.length * MAX_BYTES_A_UNIT <= room.length
    return fits ? room.subarray(0, room.write(text)) : Buffer.from(text)
  }

  function isWasteful(): boolean {
    if (sizeBytes < reviewAtBytes) return false
    reviewAtBytes = 2 * sizeBytes
    return sizeBytes > SLACK * options.liveBytes()
  }

  /** Writes what counts beside the file and takes its place. */
  function compact(): void {
    const beside = `${path}.new`
    const next = openSync(beside, 'w', OWNER_ONLY)
    let size = 0
    let chunk: string[] = []
    const writeChunk = (): void => {
      let rest = Buffer.from(chunk.join(''))
      size += rest.length
      chunk = []
      while (rest.length > 0) rest = rest.subarray(writeSync(next, rest))
    }
    try {
      for (const record of options.snapshot()) {
        if (chunk.push(toLine(record)) === CHUNK_LINES) writeChunk()
      }
      writeChunk()
      renameSync(beside, path)
    } catch (error) {
      closeSync(next)
      throw error
    }
    closeSync(file)
    file = next
    sizeBytes = size
    reviewAtBytes = Math.max(compactAboveBytes, 2 * size)
  }

  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    setImmediate(flush)
  }

  return {
    append(record, isVerbatim) {
      lines.push(toLine(record, isVerbatim))
      schedule()
    },
    whenWritten(done) {
      if (lines.length === 0 && unwritten.length === 0) return done(undefined)
      waiting.push(done)
      schedule()
    },
    close() {
      flush()
      attempt(compact)
      isClosed = true
      closeSync(file)
    },
  }
}

/** Lines of a snapshot that are written together. */
const CHUNK_LINES = 1000

function toLine(record: JournalRecord, isVerbatim = false): string {
  if (record[0] !== 'plain') return `${JSON.stringify(record)}\n`
  // Half the time of the general way; nothing but a body has characters that JSON would escape.
  const [kind, uid, serial, id, sentAtMs, body] = record
  const quoted = isVerbatim ? `"${body}"` : JSON.stringify(body)
  return `["${kind}","${uid}",${serial},"${id}",${sentAtMs},${quoted}]\n`
}

function parseRecord(line: string, number: number, path: string): JournalRecord {
  try {
    // Only this module writes the file; that a line is whole is all there is to doubt.
    return JSON.parse(line) as JournalRecord
  } catch (error) {
    throw new AldeaError('ALDEA_STATE_MISMATCH', `Line ${number} of ${path} is damaged.`, {
      hint: 'Move the file away to start with empty queues.',
      cause: error,
    })
  }
}

function attempt(run: () => void): Error | undefined {
  try {
    run()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
