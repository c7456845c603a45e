import type { Segment } from '../vad/segmenter.ts'
import type { DetectedLanguage, Recognition } from '../whisper/port.ts'
import { dealPieces } from './deal-pieces.ts'
import { mapInParallel } from './in-parallel.ts'
import type { Piece } from './pieces.ts'
import { place, unheardAfter } from './placed.ts'
import type { Placed } from './placed.ts'

interface PiecesOptions {
  /** Undefined: to be detected. */
  readonly language: string | undefined
  /** The speech of the recording, as its pieces were made of it. */
  readonly segments: readonly Segment[]
  readonly parallel: number
  /** Pieces that are written together. */
  readonly recognise: (pieces: readonly Piece[], language: string | undefined) => Promise<readonly Recognition[]>
}

interface RecognisedPieces {
  readonly said: readonly Placed[]
  readonly detected: DetectedLanguage | undefined
}

/** All pieces in one language: where it is unknown, that of the longest piece, which says most. */
export async function recognisePieces(
  pieces: readonly Piece[],
  { language, segments, parallel, recognise }: PiecesOptions,
): Promise<RecognisedPieces> {
  // The longest first, so that in the end nobody waits for much.
  const inTurn = pieces.toSorted((one, other) => lengthOf(other) - lengthOf(one))
  const [longest, ...others] = inTurn
  const first =
    language === undefined && longest ? { longest, heard: await recognise([longest], undefined) } : undefined
  const detected = first?.heard[0]?.detectedLanguage
  const spoken = language ?? detected?.language

  /** With what the model left out at their ends, heard by itself, until nothing is left or nothing more is said. */
  async function hear(group: readonly Piece[], recognitions?: readonly Recognition[]): Promise<Said[]> {
    const heard = recognitions ?? (await recognise(group, spoken))
    const said = group.flatMap((piece, index) => {
      const recognition = heard[index]
      return recognition ? { piece, placed: place(recognition, piece, segments) } : []
    })
    const rests = said.flatMap(({ piece, placed }) => unheardAfter(placed, piece, segments) ?? [])
    return rests.length === 0 ? said : [...said, ...(await hear(rests))]
  }

  const groups = dealPieces(first ? others : inTurn, parallel).map((group) => () => hear(group))
  if (first) groups.push(() => hear([first.longest], first.heard))
  const said = (await mapInParallel(groups, parallel, (run) => run())).flat()
  const inOrder = said.toSorted((one, other) => one.piece.startSample - other.piece.startSample)
  return { said: inOrder.map(({ placed }) => placed), detected }
}

interface Said {
  readonly piece: Piece
  readonly placed: Placed
}

function lengthOf({ startSample, endSample }: Piece): number {
  return endSample - startSample
}
