import { test } from 'vitest'
import { forwardTo, healthCheck, startTestBalancer } from '../../tests/test-balancer.ts'

test('a configuration that cannot work is refused with all that is wrong', async ({ expect, onTestFinished }) => {
  const started = startTestBalancer({
    onTestFinished,
    zones: [],
    rules: [
      { priority: 0, conditions: [], action: forwardTo('web') },
      { priority: 7, conditions: [], action: forwardTo('nowhere') },
      { priority: 7, conditions: [], action: forwardTo('web') },
    ],
    targetGroups: [
      { name: 'web', healthCheck },
      { name: 'web', healthCheck },
    ],
  })

  await expect(started).rejects.toMatchObject({
    code: 'ALDEA_CONFIG_INVALID',
    message:
      'The load balancer test cannot run: it has no zone; two target groups have the same name; ' +
      'a rule forwards to nowhere, which is no target group; priority 0 is not between 1 and 50000; ' +
      'priority 7 is used twice.',
  })
})
