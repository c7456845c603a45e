import { describe, test } from 'vitest'
import { get, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { nextChecks, startPatient } from '../../tests/test-patient.ts'
import { TARGET_KINDS } from './testing.ts'

describe.for(TARGET_KINDS)('item 13, before a target %s', (kind) => {
  test('one success makes a new target healthy, a recovering one needs the threshold', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, clock } = await startTestBalancer({ onTestFinished })
    const patient = await startPatient({ kind, id: 'one', onTestFinished })
    const stateNow = (): string | undefined => balancer.targetGroup('web').describeHealth()[0]?.health.state
    const states: (string | undefined)[] = []

    balancer.targetGroup('web').register(patient.target)
    states.push(stateNow())
    await balancer.targetGroup('web').firstCheck('one')
    states.push(stateNow())
    for (const status of [503, 503, 200, 200, 200]) {
      patient.status = status
      await nextChecks(clock, [patient])
      states.push(stateNow())
    }

    expect(states).toEqual(['initial', 'healthy', 'healthy', 'unhealthy', 'unhealthy', 'unhealthy', 'healthy'])
  })

  test('a new target that fails first needs one success only while it is initial', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, clock } = await startTestBalancer({ onTestFinished })
    const patient = await startPatient({ kind, id: 'one', onTestFinished, status: 503 })
    await register(balancer, 'web', [patient.target])
    patient.status = 200

    await nextChecks(clock, [patient])

    expect(balancer.targetGroup('web').describeHealth()[0]?.health.state).toBe('healthy')
  })

  test('when all are unhealthy all get traffic', async ({ expect, onTestFinished }) => {
    const { balancer, clock, port } = await startTestBalancer({ onTestFinished })
    const patients = await Promise.all(['one', 'two'].map((id) => startPatient({ kind, id, onTestFinished })))
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    for (const patient of patients) patient.status = 500

    await nextChecks(clock, patients)
    await nextChecks(clock, patients)

    const health = balancer.targetGroup('web').describeHealth()
    expect(health.map((each) => each.health)).toMatchObject(
      patients.map(() => ({ state: 'unhealthy', description: 'Health checks failed with these codes: [500]' })),
    )
    const answers = [await get(port, '/'), await get(port, '/')]
    expect(answers.map(({ body }) => body).toSorted()).toEqual(['one', 'two'])
  })

  test('a redirect from the health path fails the matcher 200', async ({ expect, onTestFinished }) => {
    const { balancer } = await startTestBalancer({ onTestFinished })
    const { target } = await startPatient({ kind, id: 'one', onTestFinished, status: 302 })

    balancer.targetGroup('web').register(target)

    expect(await balancer.targetGroup('web').firstCheck('one')).toEqual({
      passed: false,
      reason: 'Target.ResponseCodeMismatch',
      description: 'Health checks failed with these codes: [302]',
    })
  })

  test('the probe has the ELB user agent, Host ip:port and nothing that a forwarded request has', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer } = await startTestBalancer({ onTestFinished })
    const seen: string[][] = []
    const { target, server } = await startPatient({ kind, id: 'one', onTestFinished })
    server.prependListener('request', ({ rawHeaders }) => seen.push(rawHeaders))

    await register(balancer, 'web', [target])

    const host = target.kind === 'network' ? `${target.host}:${target.port}` : target.id
    expect(seen).toEqual([
      [
        ['Host', host],
        ['Connection', 'close'],
        ['User-Agent', 'ELB-HealthChecker/2.0'],
        ['Accept-Encoding', 'gzip, compressed'],
      ].flat(),
    ])
  })
})
