import type { Clock } from '../../wire/clock.ts'
import type { SttConfig } from '../config.ts'
import type { InFlight } from '../domain/in-flight.ts'
import type { UploadMemory } from '../domain/upload-memory.ts'
import type { SpeechEngine } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'

/** What the routes of a speech server work with. */
export interface RouteContext {
  readonly config: SttConfig
  readonly engine: SpeechEngine
  readonly clock: Clock
  readonly inFlight: InFlight
  readonly uploadMemory: UploadMemory
}

/** @throws {@link SpeechError} 503 while the server is being taken out of service. */
export function assertAccepting({ inFlight }: RouteContext): void {
  if (inFlight.isDraining) throw new SpeechError(503, 'This speech server is shutting down.')
}
