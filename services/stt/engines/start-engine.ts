import type { Held, Runtime } from '../../wire/runtime.ts'
import type { ForwardConfig, SttConfig, WhisperConfig } from '../config.ts'
import type { Ears } from '../vad/ears.ts'
import { createCassetteEngine } from './cassette/player.ts'
import { recordEngine } from './cassette/recorder.ts'
import { loadTape, openForRecording } from './cassette/tape.ts'
import { holdRecogniser } from './hold-recogniser.ts'
import type { SpeechEngine } from './port.ts'
import { loadScript } from './script.ts'
import { createScriptedEngine } from './scripted.ts'

/** The engine that the configuration names, ready to work: its model is loaded. */
export async function startEngine(config: SttConfig, runtime: Runtime): Promise<SpeechEngine> {
  const { recordTo } = config
  if (recordTo !== undefined) await openForRecording(recordTo)
  const engine = await startNamed(config, runtime)
  return recordTo === undefined ? engine : recordEngine(engine, { ...runtime, file: recordTo })
}

async function startNamed(config: SttConfig, runtime: Runtime): Promise<SpeechEngine> {
  const { engine, maxAudioSeconds } = config
  if (engine.kind === 'scripted') return createScriptedEngine(await loadScript(engine.scriptFile), { maxAudioSeconds })
  if (engine.kind === 'cassette') {
    const { file, pace } = engine
    return createCassetteEngine({ takes: await loadTape(file), clock: runtime.clock, pace })
  }
  if (engine.kind === 'forward') return startForward(engine, runtime)
  return startWhisper(engine, { maxAudioSeconds, runtime })
}

async function startForward(
  { urls, key, model, vadModelFile }: ForwardConfig,
  runtime: Runtime,
): Promise<SpeechEngine> {
  const { createForwardEngine, upstreamOf } = await import('./forward/forward.ts')
  const upstreams = urls.map((url) => upstreamOf(url, { key, model }))
  // Only a stream that is cut here has to be heard here.
  const ears = upstreams.some(({ openStream }) => openStream) ? undefined : await holdEars(vadModelFile, runtime)
  return createForwardEngine({ upstreams, model, ears: ears?.value, release: async () => ears?.release() })
}

interface WhisperOptions {
  readonly maxAudioSeconds: number
  readonly runtime: Runtime
}

/** All speech servers of a process that use one model hear and recognise with the same threads. */
async function startWhisper(
  config: WhisperConfig,
  { maxAudioSeconds, runtime }: WhisperOptions,
): Promise<SpeechEngine> {
  // Loaded here: the scripted engine needs neither the library nor its time.
  const { createWhisperEngine } = await import('./whisper.ts')
  const [recogniser, ears] = await holdBoth(holdRecogniser(config, runtime), holdEars(config.vadModelFile, runtime))
  const engine = createWhisperEngine({
    recogniser: recogniser.value.recogniser,
    ears: ears.value,
    maxAudioSeconds,
    parallel: config.workers,
    release: async () => {
      await Promise.all([recogniser.release(), ears.release()])
    },
  })
  return {
    ...engine,
    get device() {
      return recogniser.value.device
    },
  }
}

function holdEars(vadModelFile: string, { clock, log, shared }: Runtime): Promise<Held<Ears>> {
  return shared.hold(`ears:${vadModelFile}`, async () => {
    const { startEars } = await import('../vad/threaded-ears.ts')
    const value = await startEars({ vadModelFile, clock, log })
    return { value, close: () => value.stop() }
  })
}

/** Both at once; where one fails the other is given back. */
async function holdBoth<A, B>(first: Promise<Held<A>>, second: Promise<Held<B>>): Promise<[Held<A>, Held<B>]> {
  try {
    return await Promise.all([first, second])
  } catch (error) {
    for (const held of [first, second]) await held.then(({ release }) => release()).catch(() => undefined)
    throw error
  }
}
