import type { Runtime } from '../../wire/runtime.ts'
import type { SttConfig } from '../config.ts'
import type { SpeechEngine } from './port.ts'
import { loadScript } from './script.ts'
import { createScriptedEngine } from './scripted.ts'

/** The engine that the configuration names, ready to work: its model is loaded. */
export async function startEngine(config: SttConfig, _runtime: Runtime): Promise<SpeechEngine> {
  const { engine } = config
  if (engine.kind === 'scripted') return createScriptedEngine(await loadScript(engine.scriptFile), config)
  throw new Error('whisper follows')
}
