import { createDecoders } from './decoder/decoder.ts'
import { givingWay, type RightOfWay } from './pool/give-way.ts'
import { SAMPLE_RATE_HZ } from './spectrogram/log-mel.ts'
import type { Recognition } from './port.ts'
import { recogniseWindow, type WindowRequest } from './recognise-window.ts'
import type { WhisperModel } from './whisper-model.ts'
import { windowPositions } from './window-positions.ts'

/**
 * Recognises several windows: they are encoded one after the other, and their texts written together. Each is said to have
 * taken the same share of the time, without what was spent waiting.
 *
 * @param checkpoint called between steps; throws to stop
 */
export type RecogniseTogether = (
  windows: readonly Float32Array[],
  request: WindowRequest,
  checkpoint: () => void,
) => Promise<readonly Recognition[]>

/** One group at a time. @param right of whoever goes before each of its steps */
export function createTogether(model: WhisperModel, right: RightOfWay): RecogniseTogether {
  const sessions = givingWay(model.sessions, right)
  const { dimensions } = model.manifest
  const decoders = createDecoders(sessions.decoder, dimensions)

  function longestOf(windows: readonly Float32Array[], { padding }: WindowRequest): number {
    const counts = windows.map(({ length }) => {
      const { places } = windowPositions(length / SAMPLE_RATE_HZ, padding, dimensions.audioPositions)
      return places.length
    })
    return Math.max(...counts)
  }

  return async (windows, request, checkpoint) => {
    const started = performance.now()
    const waited = sessions.waitedMs
    const opened = decoders.open(windows.length, longestOf(windows, request))
    const written: Promise<PromiseSettledResult<Recognition>[]>[] = []
    for (const [index, decoder] of opened.entries()) {
      const samples = windows[index] as Float32Array
      const recognition = recogniseWindow({ ...model, sessions, decoder }, samples, request, checkpoint)
      written.push(Promise.allSettled([recognition.finally(() => decoder.close())]))
      // It waits for the others to begin writing. All spectrograms at once would be one long step.
      await sessions.idle()
    }
    const recognitions = (await Promise.all(written)).flat().map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    const computeMs = performance.now() - started - (sessions.waitedMs - waited)
    return recognitions.map((recognition) =>
      Object.assign({}, recognition, { computeMs: computeMs / recognitions.length }),
    )
  }
}
