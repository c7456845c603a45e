import { test } from 'vitest'
import { createFft } from './fft.ts'

test.for([4, 5, 20, 100, 400])('a transform of %i points equals the plain sum', (length, { expect }) => {
  const fft = createFft(length)
  const real = Array.from({ length }, (_, index) => Math.sin(index * index))
  const imaginary = Array.from({ length }, (_, index) => Math.cos(3 * index))
  fft.input.real.set(real)
  fft.input.imaginary.set(imaginary)

  const result = fft.transform()

  for (const bin of [0, 1, Math.floor(length / 3), length - 1]) {
    let re = 0
    let im = 0
    for (let index = 0; index < length; index += 1) {
      const angle = (-2 * Math.PI * bin * index) / length
      const [a = 0, b = 0] = [real[index], imaginary[index]]
      re += a * Math.cos(angle) - b * Math.sin(angle)
      im += a * Math.sin(angle) + b * Math.cos(angle)
    }
    expect(result.real[bin]).toBeCloseTo(re, 9)
    expect(result.imaginary[bin]).toBeCloseTo(im, 9)
  }
})

test('a length with other factors is refused', ({ expect }) => {
  expect(() => createFft(6)).toThrow('not made of 4 and 5')
})
