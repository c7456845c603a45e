import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { openWav } from '../../services/stt/audio/file.ts'
import { bytesPerFrame } from '../../services/stt/audio/format.ts'
import type { Dialect } from './dialect.ts'

/** What came back while a clip was spoken. */
export interface LiveAnswer {
  /** All finals, in order. */
  readonly text: string
  readonly differentInterims: number
  /** Seconds of audio sent when the first interim came; undefined when none did. */
  readonly firstInterimSeconds: number | undefined
}

const CHUNK_SECONDS = 0.1

/** Speaks a clip in real time, a tenth of a second at a time, and hears the answer to its end. */
export async function listen(dialect: Dialect, bytes: Uint8Array): Promise<LiveAnswer> {
  const { format, audio: pcm } = openWav(bytes, Number.POSITIVE_INFINITY)
  const isRaw = format.encoding === 's16'
  // Anything else goes as it is, header first, for the server to recognise.
  const audio = isRaw ? pcm : bytes
  const query = isRaw ? `encoding=linear16&sample_rate=${format.sampleRateHz}&channels=${format.channels}` : ''
  const { url, protocols } = dialect.live(query)
  const socket = new WebSocket(url, protocols)
  const finals: string[] = []
  const interims = new Set<string>()
  let sentSeconds = 0
  let firstInterimSeconds: number | undefined

  const over = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => {
      if (code === 1000) resolve()
      else reject(new Error(`The stream was closed with ${code} ${reason.toString()}`))
    })
    socket.on('message', (data: Buffer) => {
      const said = dialect.textOf(JSON.parse(data.toString()))
      if (!said?.text) return
      if (said.isFinal) {
        finals.push(said.text)
      } else {
        firstInterimSeconds ??= sentSeconds
        interims.add(said.text)
      }
    })
  })
  await Promise.race([new Promise((resolve) => socket.once('open', resolve)), over])

  const step = Math.round(CHUNK_SECONDS * format.sampleRateHz) * bytesPerFrame(format)
  const startMs = performance.now()
  for (let offset = 0; offset < audio.length; offset += step) {
    socket.send(audio.subarray(offset, offset + step))
    sentSeconds += CHUNK_SECONDS
    // Against the start, so that late timers do not add up.
    await Promise.race([sleep(Math.max(0, startMs + sentSeconds * 1000 - performance.now())), over])
  }
  socket.send(JSON.stringify({ type: 'CloseStream' }))
  await over
  return { text: finals.join(' '), differentInterims: interims.size, firstInterimSeconds }
}
