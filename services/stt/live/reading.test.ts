import { test } from 'vitest'
import { NOTHING_READ, readFrom, readOn, shownWords, type Reading } from './reading.ts'

/** Words of a third of a second each, from a time on. */
function said(text: string, fromSeconds = 0, confidence = 0.9) {
  return text.split(' ').map((word, index) => {
    const startSeconds = fromSeconds + index / 3
    return { word, startSeconds, endSeconds: startSeconds + 1 / 3, confidence }
  })
}

const textOf = (reading: Reading): string =>
  shownWords(reading)
    .map(({ word }) => word)
    .join(' ')

test('shows words when they have settled, and all of them in a pause', ({ expect }) => {
  const words = said('you are about to')
  expect(textOf(readOn(NOTHING_READ, { words, seconds: 1.4, isOpen: true }))).toBe('you are about')
  expect(textOf(readOn(NOTHING_READ, { words, seconds: 1.4, isOpen: false }))).toBe('you are about to')
})

test('an unsure word waits longer', ({ expect }) => {
  const words = [...said('you are'), ...said('about', 2 / 3, 0.4)]
  expect(textOf(readOn(NOTHING_READ, { words, seconds: 1.3, isOpen: true }))).toBe('you are')
  expect(textOf(readOn(NOTHING_READ, { words, seconds: 1.6, isOpen: true }))).toBe('you are about')
})

test('fixes old words that two readings agree on, but for case and signs', ({ expect }) => {
  const first = readOn(NOTHING_READ, { words: said('You are about to enter'), seconds: 1.8, isOpen: true })
  expect(first.fixed).toEqual([])

  const second = readOn(first, { words: said('you are about two enter an'), seconds: 2.3, isOpen: true })
  expect(second.fixed.map(({ word }) => word)).toEqual(['you', 'are', 'about'])
  expect(second.rest.map(({ word }) => word)).toEqual(['two', 'enter', 'an'])

  const third = readOn(second, { words: said('to enter an echo', 1), seconds: 2.8, isOpen: true })
  expect(textOf(third)).toBe('you are about to enter an echo')
})

test('does not fix what readings disagree on, nor what is young', ({ expect }) => {
  const first = readOn(NOTHING_READ, { words: said("you're about to"), seconds: 2.5, isOpen: true })
  expect(readOn(first, { words: said('you are about to'), seconds: 3, isOpen: true }).fixed).toEqual([])
  expect(readOn(first, { words: said("you're about to"), seconds: 1.3, isOpen: true }).fixed).toEqual([])
})

test('a word that was shown in a pause stays while it is heard, though it now seems to last', ({ expect }) => {
  const pause = readOn(NOTHING_READ, { words: said('the age of foolishness'), seconds: 1.5, isOpen: false })
  const stretched = said('the age of foolishness').with(3, {
    word: 'foolishness.',
    startSeconds: 1,
    endSeconds: 2,
    confidence: 0.9,
  })
  expect(textOf(readOn(pause, { words: stretched, seconds: 2, isOpen: true }))).toBe('the age of foolishness.')
  expect(textOf(readOn(NOTHING_READ, { words: stretched, seconds: 2, isOpen: true }))).toBe('the age of')
})

test('a careful reading fixes its old words at once', ({ expect }) => {
  const reading = readFrom({ words: said('in order for this to'), seconds: 1.75, isOpen: true })
  expect(reading.fixed.map(({ word }) => word)).toEqual(['in', 'order'])
  expect(textOf(reading)).toBe('in order for this')
})
