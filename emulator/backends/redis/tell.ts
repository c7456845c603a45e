import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** Sends a server one command, without a client. @throws Error with whatever it answers but OK. */
export async function tell(url: string, words: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  // The server hangs up after QUIT; by then it has answered.
  socket.write(commandOf(words) + commandOf(['QUIT']))
  const answer = await text(socket)
  if (!answer.startsWith('+OK')) throw new Error(`Redis answered ${words.join(' ')} with ${answer.trim()}.`)
}

function commandOf(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}
