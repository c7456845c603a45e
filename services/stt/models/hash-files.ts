import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** SHA-256 of the files one after the other, in hexadecimal. */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}
