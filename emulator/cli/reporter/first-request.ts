import type { Demo } from '../../core/system.ts'

/** A line that works when pasted into a shell. */
export function firstRequest(url: string, { key, audioFile, path }: Demo): string {
  return `curl -H 'Authorization: Bearer ${key}' --data-binary @${quote(audioFile)} ${url}${path}`
}

function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
