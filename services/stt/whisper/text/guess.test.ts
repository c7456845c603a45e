import { test } from 'vitest'
import { createGuess } from './guess.ts'

/** Two tokens never come twice. */
const TEXT = Array.from({ length: 60 }, (_, place) => 100 + place)

test('a little is guessed at first, and more each time it was right', ({ expect }) => {
  const guess = createGuess(TEXT, 0)
  expect(guess.after(TEXT.slice(0, 2)).tokens).toEqual(TEXT.slice(2, 18))
  expect(guess.after(TEXT.slice(0, 18)).tokens).toEqual(TEXT.slice(18, 50))
  expect(guess.after(TEXT.slice(0, 50)).tokens).toEqual(TEXT.slice(50))
})

test('one token that is another is believed to be the only one, once', ({ expect }) => {
  const guess = createGuess(TEXT, 0)
  expect(guess.after([...TEXT.slice(0, 5), 1]).tokens).toEqual(TEXT.slice(6, 14))
  expect(guess.after([...TEXT.slice(0, 5), 1, 2]).tokens).toEqual([])
})

test('the text is found again where it has more or fewer tokens', ({ expect }) => {
  const guess = createGuess(TEXT, 0)
  expect(guess.after([...TEXT.slice(0, 5), 1]).tokens).toHaveLength(8)
  expect(guess.after([...TEXT.slice(0, 5), 1, 2]).tokens).toEqual([])
  const more = [...TEXT.slice(0, 5), 1, 2, ...TEXT.slice(5, 7)]
  expect(guess.after(more).tokens).toEqual(TEXT.slice(7, 15))
  // From there on it is where it is expected.
  expect(guess.after([...more, ...TEXT.slice(7, 15)]).tokens).toEqual(TEXT.slice(15, 31))
})

test('of several places the one counts that is nearest to the expected', ({ expect }) => {
  const text = [1, 2, 30, 5, 6, 1, 2, 40, 5, 6, 1, 2, 50]
  expect(createGuess(text, 0).after([7, 8, 9, 9, 9, 1, 2]).tokens).toEqual(text.slice(7))
  expect(createGuess(text, 8).after([9, 1, 2]).tokens).toEqual([50])
})

test('tells where both texts say the same', ({ expect }) => {
  const guess = createGuess(TEXT, 0)
  expect(guess.after([...TEXT.slice(0, 5), 1]).place).toBeUndefined()
  expect(guess.after([...TEXT.slice(0, 5), 1, 2, ...TEXT.slice(5, 7)]).place).toBe(7)
})

test('nothing is guessed without a text, or after its end', ({ expect }) => {
  expect(createGuess([], 0).after([1]).tokens).toEqual([])
  expect(createGuess([1, 2], 0).after([1, 2]).tokens).toEqual([])
})
