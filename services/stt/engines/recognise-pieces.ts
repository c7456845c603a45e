import type { Segment } from '../vad/segmenter.ts'
import type { DetectedLanguage, Recognition } from '../whisper/port.ts'
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
  readonly recognise: (piece: Piece, language: string | undefined) => Promise<Recognition>
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
  const longest = language === undefined ? inTurn[0] : undefined
  const first = longest && (await recognise(longest, undefined))
  const detected = first?.detectedLanguage
  const spoken = language ?? detected?.language

  /** With what the model left out at the end, heard by itself, until nothing is left or nothing more is said. */
  async function hear(piece: Piece): Promise<Placed[]> {
    const said: Placed[] = []
    let rest: Piece | undefined = piece
    while (rest) {
      const recognition: Recognition = first && rest === longest ? first : await recognise(rest, spoken)
      const placed = place(recognition, rest, segments)
      said.push(placed)
      rest = unheardAfter(placed, rest, segments)
    }
    return said
  }

  const heard = await mapInParallel(inTurn, parallel, async (piece) => ({ piece, said: await hear(piece) }))
  const inOrder = heard.toSorted((one, other) => one.piece.startSample - other.piece.startSample)
  return { said: inOrder.flatMap(({ said }) => said), detected }
}

function lengthOf({ startSample, endSample }: Piece): number {
  return endSample - startSample
}
