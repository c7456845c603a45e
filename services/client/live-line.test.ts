import { test } from 'vitest'
import { createLiveLine } from './live-line.ts'

test('on a terminal the line is rewritten until its words are final', ({ expect }) => {
  const { out, text } = terminal({ isTTY: true, columns: 12 })
  const line = createLiveLine(out)

  line.interim('ask')
  line.interim('ask not what your')
  line.final('Ask not what your country.')
  line.end()

  expect(text()).toBe('\r\u001B[Kask\r\u001B[K… what your\r\u001B[KAsk not what your country.\n')
})

test('off a terminal only final words are printed, one line each', ({ expect }) => {
  const { out, text } = terminal({})
  const line = createLiveLine(out)

  line.interim('ask')
  line.final('Ask not.')
  line.final('')
  line.end()

  expect(text()).toBe('Ask not.\n')
})

test('what is still in place goes away at the end', ({ expect }) => {
  const { out, text } = terminal({ isTTY: true })
  const line = createLiveLine(out)

  line.interim('ask')
  line.end()
  line.end()

  expect(text()).toBe('\r\u001B[Kask\r\u001B[K')
})

test('words cannot steer the terminal', ({ expect }) => {
  const { out, text } = terminal({})

  createLiveLine(out).final('a\u001B[2Jb\nc\u0007')

  expect(text()).toBe('ab c\n')
})

function terminal(shape: { isTTY?: boolean; columns?: number }): {
  out: { write(text: string): void }
  text: () => string
} {
  let text = ''
  return { out: { ...shape, write: (piece: string) => void (text += piece) }, text: () => text }
}
