import { test } from 'vitest'
import { startDecoding } from './decoder.ts'
import { encode } from './encoder.ts'
import { promptFor } from './prompt.ts'
import { MODEL_DIR, readClip } from './testing.ts'
import { loadWhisper } from './whisper-model.ts'
import { windowPositions } from './window-positions.ts'

test('a token has nearly the same answer whatever is fed together with it', async ({ expect }) => {
  const { manifest, tokenizer, logMel, sessions } = await loadWhisper(MODEL_DIR, 1)
  const samples = await readClip('jfk.wav')
  const positions = windowPositions(samples.length / 16_000, 'coarse', manifest.dimensions.audioPositions)
  const mel = logMel.compute(samples, positions.frames)
  const audio = await encode(sessions.encoder, mel, manifest.dimensions, positions)
  const start = (): ReturnType<typeof startDecoding> => startDecoding(sessions.decoder, audio, manifest.dimensions)
  // The start of the transcript is a hundred times as strong as any word.
  const tokens = [
    ...promptFor(manifest, { language: 'en', timestamps: true }),
    manifest.tokens.firstTimestamp,
    ...tokenizer.encode(' And so my fellow Americans'),
  ]

  const together = await start().feed(tokens, tokens.length)
  const stepwise = start()
  let divergence = 0
  for (const [index, token] of tokens.entries()) {
    const [alone = new Float32Array()] = await stepwise.feed([token], 1)
    for (const [at, logit] of alone.entries()) divergence += Math.exp(logit) * (logit - (together[index]?.[at] ?? 0))
  }

  // Weights with a scale per column, whose inputs share one for all tokens, diverge by 0.0015.
  expect(divergence / tokens.length).toBeLessThan(0.0006)
})
