import { knownAlignmentHeads } from './alignment-heads.ts'
import { ModelError } from './errors.ts'
import type { JsonObject } from './json-file.ts'
import type { AlignmentHead, WhisperDimensions } from './manifest.ts'
import { nonSpeechTokens } from './non-speech.ts'
import type { SourceConfig } from './source.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Names of the members in which a format keeps token ids to suppress. */
interface Members {
  readonly suppressed: string
  readonly suppressedFirst: string
}

/** A JSON file that says how to decode. */
export interface ConfigFile {
  readonly path: string
  readonly value: JsonObject
}

/**
 * What the first file that has a member says; what no file says, Whisper's own rules do.
 * @throws ModelError for members of another kind
 */
export function decodingConfig(
  files: readonly ConfigFile[],
  members: Members,
  { dimensions, vocabulary }: { readonly dimensions: WhisperDimensions; readonly vocabulary: Vocabulary },
): SourceConfig {
  const read = <Value>(key: string, parse: (path: string, value: unknown) => Value, otherwise: () => Value): Value => {
    const file = files.find(({ value }) => value[key] !== undefined && value[key] !== null)
    return file === undefined ? otherwise() : parse(file.path, file.value[key])
  }
  const tokens = (key: string, otherwise: () => number[]): number[] =>
    read(key, (path, value) => tokenIds(path, key, value), otherwise).filter((id) => id < dimensions.vocabulary)
  return {
    alignmentHeads: read(
      'alignment_heads',
      (path, value) => alignmentHeads(path, value, dimensions),
      () => knownAlignmentHeads(dimensions),
    ),
    suppressed: tokens(members.suppressed, () => nonSpeechTokens(vocabulary)),
    suppressedFirst: tokens(members.suppressedFirst, () => firstTokens(vocabulary)),
  }
}

function alignmentHeads(path: string, value: unknown, dimensions: WhisperDimensions): AlignmentHead[] {
  const isInside = (pair: unknown): pair is [number, number] =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    isBelow(pair[0], dimensions.decoderLayers) &&
    isBelow(pair[1], dimensions.heads)
  if (!Array.isArray(value) || value.length === 0 || !value.every(isInside)) {
    throw new ModelError(`${path}: "alignment_heads" must be pairs of a decoder layer and a head of this model.`)
  }
  return value
    .map(([layer, head]) => ({ layer, head }))
    .toSorted((one, other) => one.layer - other.layer || one.head - other.head)
}

function isBelow(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < limit
}

function tokenIds(path: string, key: string, value: unknown): number[] {
  const isToken = (item: unknown): item is number => Number.isInteger(item) && Number(item) >= 0
  if (Array.isArray(value) && value.every(isToken)) return value
  throw new ModelError(`${path}: "${key}" must be a list of token ids.`)
}

/** An answer begins neither with a space alone nor with its end. */
function firstTokens({ texts, tokens }: Vocabulary): number[] {
  const space = texts.indexOf(' ')
  return space === -1 ? [tokens.endOfText] : [space, tokens.endOfText]
}
