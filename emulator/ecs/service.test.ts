import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import type { Running, Runtime, StartService } from '../../services/wire/runtime.ts'
import { createShared } from '../../services/wire/shared.ts'
import { createVirtualClock } from '../core/clock.ts'
import { createDeferred, exchangeRaw, startTestBalancer } from '../tests/test-balancer.ts'
import { type ServiceOptions, startService } from './service.ts'
import { startTask } from './task.ts'

const runtime: Runtime = { clock: systemClock, ids: systemIds, log: silentLog, shared: createShared() }
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

interface Program extends Running {
  readonly server: Server
  readonly calls: string[]
}

interface Programs {
  readonly start: StartService
  readonly started: Program[]
}

/** Programs that answer with what they were given, and write down what is done to them. */
function createPrograms({ healthStatus = 200 } = {}): Programs {
  const started: Program[] = []
  const start: StartService = async (variables) => {
    const calls: string[] = []
    const open = new Set<() => void>()
    const server = createServer((request, response) => {
      if (request.url === '/health') return void response.writeHead(healthStatus).end()
      if (request.url !== '/slow') return void response.end(variables['NAME'])
      open.add(() => void response.end('slow'))
    })
    const program: Program = {
      server,
      calls,
      async drain() {
        calls.push('drain')
        for (const finish of open) finish()
      },
      async stop() {
        calls.push('stop')
        for (const finish of open) finish()
        if (server.listening) server.close()
      },
      kill() {
        calls.push('kill')
        server.close()
        server.closeAllConnections()
      },
    }
    started.push(program)
    return program
  }
  return { start, started }
}

function optionsFor(programs: Programs, more: Partial<ServiceOptions> = {}): ServiceOptions {
  const { start } = programs
  return { name: 'web', start, zones: ['a', 'b'], variables: { NAME: 'web' }, runtime, ...more }
}

test('tasks have ids like those of ECS and are spread over the zones', async ({ expect }) => {
  const programs = createPrograms()

  const service = await startService(optionsFor(programs, { zones: ['a', 'b', 'c'], count: 4, revision: 7 }))

  expect(service.tasks.map(({ zone }) => zone)).toEqual(['a', 'b', 'c', 'a'])
  expect(new Set(service.tasks.map(({ id }) => id)).size).toBe(4)
  for (const task of service.tasks) {
    expect(task.id).toMatch(/^[0-9a-f]{32}$/)
    expect(task).toMatchObject({ service: 'web', revision: 7, state: 'RUNNING', address: undefined })
  }
})

test('a service with a target group is there when its tasks are healthy, and takes requests in turn', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
  const targetGroup = balancer.targetGroup('web')

  const { tasks } = await startService(optionsFor(createPrograms(), { targetGroup }))

  expect(targetGroup.describeHealth().map(({ target, health }) => [target.id, target.zone, health.state])).toEqual([
    [tasks[0]?.id, 'a', 'healthy'],
    [tasks[1]?.id, 'b', 'healthy'],
  ])
  for (let count = 0; count < 2; count += 1) expect(await exchangeRaw(port, GET, onTestFinished)).toMatch(/web$/)
  await expect.poll(() => events.of('alb.access').length).toBe(2)
  expect(events.of('alb.access').map(({ access }) => access.target)).toEqual(tasks.map(({ id }) => id))
})

test('stopping deregisters first, so that what is in flight ends and nothing new comes', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const targetGroup = balancer.targetGroup('web')
  const programs = createPrograms()
  const service = await startService(optionsFor(programs, { targetGroup, zones: ['a'] }))
  const arrived = createDeferred<void>()
  programs.started[0]?.server.on('request', () => arrived.resolve())
  const slow = exchangeRaw(port, GET.replace('/ ', '/slow '), onTestFinished)
  await arrived.promise

  await Promise.all([service.stop(), service.stop()])

  expect(await slow).toMatch(/slow$/)
  expect(await exchangeRaw(port, GET, onTestFinished)).toContain('503 Service Temporarily Unavailable')
  expect(programs.started.map(({ calls }) => calls)).toEqual([['stop']])
  expect(service.tasks.map(({ state }) => state)).toEqual(['STOPPED'])
  const states = events.of('alb.target-health').map(({ state }) => state)
  expect(states).toEqual(['initial', 'healthy', 'draining'])
})

test('draining takes the tasks out and lets them finish', async ({ expect, onTestFinished }) => {
  const { balancer } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
  const programs = createPrograms()
  const targetGroup = balancer.targetGroup('web')
  const service = await startService(optionsFor(programs, { targetGroup }))

  await service.drain()

  expect(service.tasks.map(({ state }) => state)).toEqual(['DEACTIVATING', 'DEACTIVATING'])
  expect(programs.started.map(({ calls }) => calls)).toEqual([['drain'], ['drain']])
  expect(targetGroup.describeHealth().map(({ health }) => health.state)).toEqual(['draining', 'draining'])
})

test('a task that is not healthy fails the start, says why, and leaves none of them running', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
  const programs = createPrograms({ healthStatus: 500 })

  const started = startService(optionsFor(programs, { targetGroup: balancer.targetGroup('web') }))

  await expect(started).rejects.toMatchObject({ code: 'ALDEA_SERVICE_FAILED' })
  await expect(started).rejects.toThrow('failed its first check: Health checks failed with these codes: [500].')
  expect(programs.started.map(({ calls }) => calls)).toEqual([['stop'], ['stop']])
})

test('when one task cannot start the others are stopped and its own error is thrown', async ({ expect }) => {
  const programs = createPrograms()
  let count = 0
  const start: StartService = async (...given) => {
    count += 1
    if (count === 2) throw new Error('no database')
    return programs.start(...given)
  }

  await expect(startService(optionsFor(programs, { start }))).rejects.toThrow('no database')

  expect(programs.started.map(({ calls }) => calls)).toEqual([['stop']])
})

test('a task that listens has an address of its own, which is free again after stop', async ({ expect }) => {
  const programs = createPrograms()
  const service = await startService(optionsFor(programs, { listen: { host: '127.0.0.1', port: 0 } }))
  const addresses = service.tasks.map(({ address }) => address ?? '')

  const answers = await Promise.all(addresses.map(async (address) => (await fetch(address)).text()))
  await service.stop()

  expect(new Set(addresses).size).toBe(2)
  expect(answers).toEqual(['web', 'web'])
  await expect(fetch(addresses[0] ?? '')).rejects.toThrow('fetch failed')
})

test('a task that cannot have its port throws the system’s own error and is stopped', async ({
  expect,
  onTestFinished,
}) => {
  const holder = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  const address = holder.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const programs = createPrograms()

  const started = startService(optionsFor(programs, { zones: ['a'], listen: { host: '127.0.0.1', port } }))

  await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE', port })
  expect(programs.started.map(({ calls }) => calls)).toEqual([['stop']])
})

test('a killed task breaks what it has in flight, and runs no shutdown code, then or later', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const programs = createPrograms()
  const options = optionsFor(programs, { targetGroup: balancer.targetGroup('web'), zones: ['a'] })
  const { tasks, stop } = await startService(options)
  const arrived = createDeferred<void>()
  programs.started[0]?.server.on('request', () => arrived.resolve())
  const slow = exchangeRaw(port, GET.replace('/ ', '/slow '), onTestFinished)
  await arrived.promise

  tasks[0]?.kill()

  expect(await slow).toContain('502 Bad Gateway')
  expect(await exchangeRaw(port, GET, onTestFinished)).toContain('502 Bad Gateway')
  await stop()
  expect(programs.started[0]?.calls).toEqual(['kill'])
  expect(tasks[0]?.state).toBe('STOPPED')
})

test('a killed task is replaced by one with an id and an address like a new task, and the target group follows', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(0)
  const { balancer, port, events } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
  const targetGroup = balancer.targetGroup('web')
  const programs = createPrograms()
  const listen = { host: '127.0.0.1', port: 0 }
  const options = optionsFor(programs, { targetGroup, listen, events, runtime: { ...runtime, clock } })
  const service = await startService(options)
  onTestFinished(() => service.stop())
  const [first, second] = service.tasks

  service.kill(first?.id ?? '')
  expect(service.tasks.map(({ id }) => id)).toEqual([first?.id, second?.id])
  await clock.advance(1_000)
  await expect.poll(() => service.tasks[0]?.id).not.toBe(first?.id)

  const [third] = service.tasks
  expect(third).toMatchObject({ zone: first?.zone, address: first?.address, state: 'RUNNING' })
  expect(await (await fetch(third?.address ?? '')).text()).toBe('web')
  await expect
    .poll(() => targetGroup.describeHealth().map(({ target, health }) => [target.id, health.state]))
    .toEqual([
      [first?.id, 'draining'],
      [second?.id, 'healthy'],
      [third?.id, 'healthy'],
    ])
  for (let count = 0; count < 4; count += 1) expect(await exchangeRaw(port, GET, onTestFinished)).toContain('200 OK')
  expect(events.of('cloud.event').map(({ message }) => message)).toEqual([
    `(service web) has started 1 tasks: (task ${third?.id}).`,
    '(service web) registered 1 targets in (target-group web)',
  ])
  expect(() => service.kill(first?.id ?? '')).toThrow('web has no task')
})

test('a replacement that does not start is tried again, later each time, until the service stops', async ({
  expect,
}) => {
  const clock = createVirtualClock(0)
  const programs = createPrograms()
  let isBroken = false
  let tries = 0
  const start: StartService = async (...given) => {
    if (!isBroken) return programs.start(...given)
    tries += 1
    throw new Error('no database')
  }
  const service = await startService(optionsFor(programs, { start, zones: ['a'], runtime: { ...runtime, clock } }))
  const [first] = service.tasks
  isBroken = true
  first?.kill()
  await clock.advance(1_000)
  expect(tries).toBe(1)
  await clock.advance(3_000)
  expect(tries).toBe(3)
  isBroken = false
  await clock.advance(4_000)
  expect(service.tasks.map(({ state }) => state)).toEqual(['RUNNING'])
  expect(service.tasks[0]?.id).not.toBe(first?.id)

  service.tasks[0]?.kill()
  await service.stop()
  await clock.advance(60_000)
  expect(programs.started).toHaveLength(2)
})

test('a task whose program does not stop cleanly is stopped all the same, and the failure is reported', async ({
  expect,
}) => {
  const programs = createPrograms()
  const start: StartService = async (...given) => ({
    ...(await programs.start(...given)),
    stop: () => Promise.reject(new Error('stuck')),
  })
  const service = await startService(optionsFor(programs, { start }))

  await expect(service.stop()).rejects.toThrow('web did not stop cleanly: stuck; stuck')

  expect(service.tasks.map(({ state, gone }) => [state, gone.aborted])).toEqual([
    ['STOPPED', true],
    ['STOPPED', true],
  ])
})

test('one task runs without a service around it', async ({ expect }) => {
  const programs = createPrograms()

  const task = await startTask({
    id: 'aa',
    service: 'web',
    zone: 'a',
    revision: 1,
    start: programs.start,
    variables: {},
    runtime,
  })
  await task.stop()
  task.kill()

  expect(programs.started[0]?.calls).toEqual(['stop'])
})
