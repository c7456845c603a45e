/** Complex numbers as two parallel arrays. */
export interface ComplexBuffer {
  readonly real: Float64Array
  readonly imaginary: Float64Array
}

export interface Fft {
  /** Filled by the caller; overwritten by `transform`. */
  readonly input: ComplexBuffer
  /** Transforms `input`; the result is valid until the next call. */
  transform(): ComplexBuffer
}

interface Stage {
  readonly radix: 4 | 5
  /** Butterflies with different twiddle factors. */
  readonly groups: number
  /** Butterflies that share one set of twiddle factors. */
  readonly stride: number
  /** cos and sin, `radix - 1` pairs for each group; the first factor is always 1. */
  readonly twiddles: Float64Array
}

/** A Stockham transform of any length 4ᵃ·5ᵇ. Tables and buffers are made once. */
export function createFft(length: number): Fft {
  const stages = planStages(length)
  const input = complexBuffer(length)
  const spare = complexBuffer(length)
  return {
    input,
    transform() {
      let from = input
      let to = spare
      for (const stage of stages) {
        if (stage.radix === 4) runRadix4(stage, from, to)
        else runRadix5(stage, from, to)
        ;[from, to] = [to, from]
      }
      return from
    },
  }
}

function complexBuffer(length: number): ComplexBuffer {
  return { real: new Float64Array(length), imaginary: new Float64Array(length) }
}

function planStages(length: number): Stage[] {
  const stages: Stage[] = []
  let rest = length
  let stride = 1
  while (rest > 1) {
    const radix = rest % 4 === 0 ? 4 : 5
    if (rest % radix !== 0) throw new RangeError(`No transform of length ${length}: it is not made of 4 and 5.`)
    const groups = rest / radix
    const twiddles = new Float64Array(groups * (radix - 1) * 2)
    let next = 0
    for (let group = 0; group < groups; group += 1) {
      for (let k = 1; k < radix; k += 1) {
        const angle = (-2 * Math.PI * group * k) / rest
        twiddles[next] = Math.cos(angle)
        twiddles[next + 1] = Math.sin(angle)
        next += 2
      }
    }
    stages.push({ radix, groups, stride, twiddles })
    stride *= radix
    rest = groups
  }
  return stages
}

// In the loops below every index is in range by construction; `as number` says so without a check per element.

function runRadix4({ groups, stride, twiddles }: Stage, from: ComplexBuffer, to: ComplexBuffer): void {
  const { real: inRe, imaginary: inIm } = from
  const { real: outRe, imaginary: outIm } = to
  const part = groups * stride
  for (let group = 0; group < groups; group += 1) {
    const table = group * 6
    const c1 = twiddles[table] as number
    const s1 = twiddles[table + 1] as number
    const c2 = twiddles[table + 2] as number
    const s2 = twiddles[table + 3] as number
    const c3 = twiddles[table + 4] as number
    const s3 = twiddles[table + 5] as number
    for (let lane = 0; lane < stride; lane += 1) {
      const a = group * stride + lane
      const b = a + part
      const c = b + part
      const d = c + part
      const sumRe = (inRe[a] as number) + (inRe[c] as number)
      const sumIm = (inIm[a] as number) + (inIm[c] as number)
      const differenceRe = (inRe[a] as number) - (inRe[c] as number)
      const differenceIm = (inIm[a] as number) - (inIm[c] as number)
      const oddSumRe = (inRe[b] as number) + (inRe[d] as number)
      const oddSumIm = (inIm[b] as number) + (inIm[d] as number)
      const oddDifferenceRe = (inRe[b] as number) - (inRe[d] as number)
      const oddDifferenceIm = (inIm[b] as number) - (inIm[d] as number)

      const o = group * 4 * stride + lane
      outRe[o] = sumRe + oddSumRe
      outIm[o] = sumIm + oddSumIm
      const re1 = differenceRe + oddDifferenceIm
      const im1 = differenceIm - oddDifferenceRe
      outRe[o + stride] = re1 * c1 - im1 * s1
      outIm[o + stride] = re1 * s1 + im1 * c1
      const re2 = sumRe - oddSumRe
      const im2 = sumIm - oddSumIm
      outRe[o + 2 * stride] = re2 * c2 - im2 * s2
      outIm[o + 2 * stride] = re2 * s2 + im2 * c2
      const re3 = differenceRe - oddDifferenceIm
      const im3 = differenceIm + oddDifferenceRe
      outRe[o + 3 * stride] = re3 * c3 - im3 * s3
      outIm[o + 3 * stride] = re3 * s3 + im3 * c3
    }
  }
}

const COS_1 = Math.cos((2 * Math.PI) / 5)
const COS_2 = Math.cos((4 * Math.PI) / 5)
const SIN_1 = Math.sin((2 * Math.PI) / 5)
const SIN_2 = Math.sin((4 * Math.PI) / 5)

function runRadix5({ groups, stride, twiddles }: Stage, from: ComplexBuffer, to: ComplexBuffer): void {
  const { real: inRe, imaginary: inIm } = from
  const { real: outRe, imaginary: outIm } = to
  const part = groups * stride
  for (let group = 0; group < groups; group += 1) {
    const table = group * 8
    const c1 = twiddles[table] as number
    const s1 = twiddles[table + 1] as number
    const c2 = twiddles[table + 2] as number
    const s2 = twiddles[table + 3] as number
    const c3 = twiddles[table + 4] as number
    const s3 = twiddles[table + 5] as number
    const c4 = twiddles[table + 6] as number
    const s4 = twiddles[table + 7] as number
    for (let lane = 0; lane < stride; lane += 1) {
      const a = group * stride + lane
      const b = a + part
      const c = b + part
      const d = c + part
      const e = d + part
      const re0 = inRe[a] as number
      const im0 = inIm[a] as number
      // Inputs 1 and 4, 2 and 3 meet with conjugate factors: their sums and differences are shared.
      const outerSumRe = (inRe[b] as number) + (inRe[e] as number)
      const outerSumIm = (inIm[b] as number) + (inIm[e] as number)
      const outerRe = (inRe[b] as number) - (inRe[e] as number)
      const outerIm = (inIm[b] as number) - (inIm[e] as number)
      const innerSumRe = (inRe[c] as number) + (inRe[d] as number)
      const innerSumIm = (inIm[c] as number) + (inIm[d] as number)
      const innerRe = (inRe[c] as number) - (inRe[d] as number)
      const innerIm = (inIm[c] as number) - (inIm[d] as number)

      const even1Re = re0 + COS_1 * outerSumRe + COS_2 * innerSumRe
      const even1Im = im0 + COS_1 * outerSumIm + COS_2 * innerSumIm
      const even2Re = re0 + COS_2 * outerSumRe + COS_1 * innerSumRe
      const even2Im = im0 + COS_2 * outerSumIm + COS_1 * innerSumIm
      const odd1Re = SIN_1 * outerRe + SIN_2 * innerRe
      const odd1Im = SIN_1 * outerIm + SIN_2 * innerIm
      const odd2Re = SIN_2 * outerRe - SIN_1 * innerRe
      const odd2Im = SIN_2 * outerIm - SIN_1 * innerIm

      const o = group * 5 * stride + lane
      outRe[o] = re0 + outerSumRe + innerSumRe
      outIm[o] = im0 + outerSumIm + innerSumIm
      const re1 = even1Re + odd1Im
      const im1 = even1Im - odd1Re
      outRe[o + stride] = re1 * c1 - im1 * s1
      outIm[o + stride] = re1 * s1 + im1 * c1
      const re2 = even2Re + odd2Im
      const im2 = even2Im - odd2Re
      outRe[o + 2 * stride] = re2 * c2 - im2 * s2
      outIm[o + 2 * stride] = re2 * s2 + im2 * c2
      const re3 = even2Re - odd2Im
      const im3 = even2Im + odd2Re
      outRe[o + 3 * stride] = re3 * c3 - im3 * s3
      outIm[o + 3 * stride] = re3 * s3 + im3 * c3
      const re4 = even1Re - odd1Im
      const im4 = even1Im + odd1Re
      outRe[o + 4 * stride] = re4 * c4 - im4 * s4
      outIm[o + 4 * stride] = re4 * s4 + im4 * c4
    }
  }
}
