import type { IncomingMessage } from 'node:http'
import type { Upload } from '../domain/upload-memory.ts'
import { joinGradually } from '../audio/join-samples.ts'
import { SpeechError } from '../errors.ts'

/**
 * The whole body of a request. Memory stays within the limit: what is too long is refused as soon as it is known to be,
 * and the rest of it is read and thrown away so that the client gets to see the answer. While there is no room for it the
 * client is not read.
 * @throws {@link SpeechError} 413.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  { hold }: Pick<Upload, 'hold'>,
): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(request, maxBytes)
  const chunks: Uint8Array[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBytes) {
        chunks.length = 0
        request.removeAllListeners('data')
        reject(tooLarge(request, maxBytes))
        return
      }
      chunks.push(chunk)
      request.pause()
      hold(chunk.length).then(() => request.resume(), reject)
    })
    request.once('end', () => resolve(joinGradually(chunks, Buffer.allocUnsafeSlow(length))))
    request.once('error', reject)
    request.once('close', () => reject(new Error('The client left while sending.')))
  })
}

function tooLarge(request: IncomingMessage, maxBytes: number): SpeechError {
  request.resume()
  return new SpeechError(413, `The body is larger than the ${maxBytes} bytes accepted here.`)
}
