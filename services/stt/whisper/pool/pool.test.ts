import { Worker } from 'node:worker_threads'
import { test, type TestContext } from 'vitest'
import type { Clock, Timer } from '../../../wire/clock.ts'
import { silentLog } from '../../../wire/log.ts'
import { SpeechError } from '../../errors.ts'
import { startPool, type Pool } from './pool.ts'
import type { WindowOptions } from '../port.ts'

/**
 * A worker without a model. The first sample tells what to do: 0 answer at once, 1 wait until the gate opens, 2 die,
 * 3 work until cancelled, 4 wait for the gate and hear nothing else, 5 die unless the gate is open, and open it,
 * 6 answer when another has been answered or the gate is open. The text of the answer is how many requests came before.
 */
const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads')
  const cancelled = new Int32Array(workerData.cancelled)
  const gate = new Int32Array(workerData.gate)
  const busy = new Int32Array(workerData.busy)
  let count = 0
  let held
  parentPort.on('message', ({ type, id, windows, request }) => {
    if (type === 'stop') return parentPort.close()
    const [samples] = windows
    const [task] = samples
    const lane = request.priority === 'file' ? 1 : 0
    if (task === 2 || (task === 5 && Atomics.exchange(gate, 0, 1) === 0)) process.exit(7)
    const isStopped = () => task !== 4 && [id, -1].includes(Atomics.load(cancelled, lane))
    while (task > 0 && task < 6 && !isStopped() && (task === 3 || Atomics.load(gate, 0) === 0)) Atomics.wait(gate, 0, 0, 1)
    if (isStopped()) return parentPort.postMessage({ type: 'failed', id, message: 'cancelled' })
    const recognitions = windows.map(({ length }) => ({ text: String(count), priority: request.priority, length, busy: Atomics.load(busy, 0) }))
    const answer = () => {
      parentPort.postMessage({ type: 'done', id, recognitions })
      count += 1
    }
    if (task === 6 && Atomics.load(gate, 0) === 0) held = answer
    else {
      answer()
      held?.()
      held = undefined
    }
  })
  parentPort.postMessage({ type: 'ready' })
`
const ANSWER = Float32Array.of(0)
const WAIT = Float32Array.of(1)
const DIE = Float32Array.of(2)
const UNTIL_CANCELLED = Float32Array.of(3)
const HANG = Float32Array.of(4)
const DIE_ONCE = Float32Array.of(5)
const AFTER_ANOTHER = Float32Array.of(6)

const FILE: WindowOptions = { priority: 'file', language: 'en', padding: 'coarse', timestamps: true }
const FINAL: WindowOptions = { ...FILE, priority: 'final' }

interface Started {
  readonly pool: Pool
  readonly clock: ManualClock
  /** Lets workers that wait go on. */
  open(): void
  /** From now on no worker can start. */
  breakStarts(): void
}

async function start(onTestFinished: TestContext['onTestFinished'], workers = 1): Promise<Started> {
  const gate = new SharedArrayBuffer(4)
  const clock = createManualClock()
  let code = WORKER
  const pool = await startPool({
    workers,
    spawn: ({ cancelled, busy }) => new Worker(code, { eval: true, workerData: { cancelled, busy, gate } }),
    clock,
    log: silentLog,
  })
  onTestFinished(() => pool.stop())
  return {
    pool,
    clock,
    open() {
      Atomics.store(new Int32Array(gate), 0, 1)
      Atomics.notify(new Int32Array(gate), 0)
    },
    breakStarts() {
      code = 'throw new Error("no model")'
    },
  }
}

test('the most urgent request goes first, equals in order', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished)
  const order: string[] = []
  const ask = (name: string, priority: WindowOptions['priority'], samples = ANSWER): Promise<unknown> =>
    pool.recognise(samples, { ...FILE, priority }).then(() => order.push(name))

  const all = [
    ask('first', 'final', WAIT),
    ask('file 1', 'file'),
    ask('interim', 'interim'),
    ask('file 2', 'file'),
    ask('final 1', 'final'),
    ask('final 2', 'final'),
  ]
  open()
  await Promise.all(all)

  expect(order).toEqual(['first', 'final 1', 'final 2', 'interim', 'file 1', 'file 2'])
})

test('samples that are asked for are asked for when a worker is free', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished)
  const running = pool.recognise(WAIT, FINAL)
  let heard = 1
  const asked: number[] = []
  const newest = (): Float32Array => {
    asked.push(heard)
    return new Float32Array(heard)
  }

  const waiting = pool.recognise(newest, { ...FILE, priority: 'interim' })
  const left = new AbortController()
  const gone = expect(pool.recognise(newest, { ...FILE, signal: left.signal })).rejects.toThrow('gone')
  left.abort(new Error('gone'))
  heard = 20
  open()
  await running

  await gone
  expect(await waiting).toMatchObject({ length: 20 })
  expect(asked).toEqual([20])
})

test('who speaks does not wait for a file', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)
  const order: string[] = []
  const file = pool.recognise(AFTER_ANOTHER, FILE).then(() => order.push('file'))
  const other = pool.recognise(ANSWER, FILE).then(() => order.push('other file'))
  const final = pool.recognise(ANSWER, FINAL).then(() => order.push('final'))
  expect(pool.load).toMatchObject({ busyWorkers: 1, waitingWindows: 1 })

  await Promise.all([file, other, final])
  expect(order).toEqual(['final', 'file', 'other file'])
})

test('a file and who speaks are both done again when their worker dies', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)
  const file = pool.recognise(AFTER_ANOTHER, FILE)
  const final = pool.recognise(DIE_ONCE, FINAL)

  expect(await Promise.all([file, final])).toMatchObject([{ priority: 'file' }, { priority: 'final' }])
})

test('windows of a file that are written together are answered together', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)
  const recording = Float32Array.of(0, 0, 0, 0, 0)

  const answers = await pool.recogniseTogether([recording.subarray(0, 2), recording.subarray(2)], FILE)

  expect(answers).toMatchObject([{ length: 2 }, { length: 3 }])
  expect(recording).toHaveLength(5)
})

test('a window that is not wanted any more when its turn comes costs no turn', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished)
  const running = pool.recognise(WAIT, FILE)
  const refuse = (): Float32Array => {
    throw new Error('no need')
  }
  const unwanted = expect(pool.recognise(refuse, FILE)).rejects.toThrow('no need')
  const next = pool.recognise(ANSWER, FILE)
  open()

  await unwanted
  await running
  expect(await next).toMatchObject({ text: '1' })
})

test("a window that is part of a recording travels alone and leaves the caller's samples in place", async ({
  expect,
  onTestFinished,
}) => {
  const { pool } = await start(onTestFinished)
  const recording = new Float32Array(1000)

  const answer = await pool.recognise(recording.subarray(10, 30), FILE)

  expect(answer).toMatchObject({ length: 20 })
  expect(recording).toHaveLength(1000)
})

test('what a worker was at when it died is done by the next one', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)

  expect(await pool.recognise(DIE_ONCE, FILE)).toMatchObject({ priority: 'file', length: 1 })
})

test('an interim whose worker dies fails with 503: the next one is near', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)

  await expect(pool.recognise(DIE_ONCE, { ...FILE, priority: 'interim' })).rejects.toMatchObject({ status: 503 })
})

test('a request that two workers die of fails with 503, they are replaced, and the next request works', async ({
  expect,
  onTestFinished,
}) => {
  const { pool } = await start(onTestFinished)
  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ text: '0' })

  const dying = pool.recognise(DIE, FILE)
  const next = pool.recognise(ANSWER, FILE)

  await expect(dying).rejects.toMatchObject({ name: 'SpeechError', status: 503 })
  expect(await next).toMatchObject({ text: '0' })
})

test('the other workers go on while one is replaced', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished, 2)
  const busy = pool.recognise(WAIT, FILE)
  const dying = pool.recognise(DIE, FILE)

  await expect(dying).rejects.toBeInstanceOf(SpeechError)
  open()

  expect(await busy).toMatchObject({ priority: 'file' })
})

test('when no worker can start, requests fail with 503 until one can', async ({ expect, onTestFinished }) => {
  const { pool, clock, breakStarts } = await start(onTestFinished)
  breakStarts()

  const dying = pool.recognise(DIE, FILE)
  const waiting = pool.recognise(ANSWER, FILE)

  await expect(dying).rejects.toMatchObject({ status: 503 })
  await expect(waiting).rejects.toMatchObject({ status: 503, message: 'No speech worker can start.' })
  expect(clock.pendingMs).toEqual([500])
})

test('an aborted request in the queue is dropped', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished)
  const running = pool.recognise(WAIT, FILE)
  const controller = new AbortController()
  const queued = pool.recognise(DIE, { ...FILE, signal: controller.signal })

  controller.abort(new Error('gone'))
  await expect(queued).rejects.toThrow('gone')
  open()

  expect(await running).toMatchObject({ text: '0' })
  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ text: '1' })
})

test.for(['file', 'final'] as const)(
  'an aborted %s that runs is stopped and frees its worker',
  async (priority, { expect, onTestFinished }) => {
    const { pool } = await start(onTestFinished)
    const controller = new AbortController()
    const running = pool.recognise(UNTIL_CANCELLED, { ...FILE, priority, signal: controller.signal })

    controller.abort('changed my mind')

    await expect(running).rejects.toBe('changed my mind')
    expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ text: '0' })
  },
)

test('a request that was aborted before is not run at all', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)

  await expect(pool.recognise(DIE, { ...FILE, signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow('late')
  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ text: '0' })
})

test('stopping fails what is open and what comes later with 503', async ({ expect, onTestFinished }) => {
  const { pool } = await start(onTestFinished)
  const running = pool.recognise(WAIT, FILE)
  const queued = pool.recognise(ANSWER, FILE)
  const outcomes = Promise.allSettled([running, queued])

  await pool.stop()

  expect((await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.status)).toEqual([503, 503])
  await expect(pool.recognise(ANSWER, FILE)).rejects.toMatchObject({ status: 503 })
})

test('a worker that does not stop is ended after a deadline', async ({ expect, onTestFinished }) => {
  const { pool, clock } = await start(onTestFinished)
  const outcome = expect(pool.recognise(HANG, FILE)).rejects.toMatchObject({ status: 503 })

  const stopped = pool.stop()
  expect(clock.pendingMs).toEqual([5000])
  clock.fire()

  await Promise.all([stopped, outcome])
})

test('workers see how many of them work', async ({ expect, onTestFinished }) => {
  const { pool, open } = await start(onTestFinished, 2)

  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ busy: 1 })
  const waiting = pool.recognise(WAIT, FILE)
  // Once the second worker has started.
  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ busy: 2 })
  open()
  await waiting
  expect(await pool.recognise(ANSWER, FILE)).toMatchObject({ busy: 1 })
})

test('a first worker that cannot start fails the start with its reason', async ({ expect }) => {
  const starting = startPool({
    workers: 2,
    spawn: () => new Worker('throw new Error("no model")', { eval: true }),
    clock: createManualClock(),
    log: silentLog,
  })

  await expect(starting).rejects.toThrow('no model')
})

interface ManualClock extends Clock {
  /** Delays of the timers that were set. */
  readonly pendingMs: readonly number[]
  /** Runs what every timer waits for. */
  fire(): void
}

function createManualClock(): ManualClock {
  const pendingMs: number[] = []
  const callbacks: (() => void)[] = []
  const after = (ms: number, run: () => void): Timer => {
    pendingMs.push(ms)
    callbacks.push(run)
    return { cancel: () => undefined }
  }
  return {
    pendingMs,
    fire() {
      for (const run of callbacks) run()
    },
    now: () => 0,
    after,
    deadline: after,
    sleep: () => Promise.resolve(),
  }
}
