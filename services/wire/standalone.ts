import type { Server } from 'node:http'
import { pino } from 'pino'
import { keepAlive, systemClock } from './clock.ts'
import { systemIds } from './ids.ts'
import type { Log } from './log.ts'
import type { Running, Runtime, StartService, Variables } from './runtime.ts'
import { createShared } from './shared.ts'

/**
 * Runs one service alone, as in the cloud: HOST (default 127.0.0.1), PORT (default 8000) and LOG_LEVEL from the
 * environment, SIGTERM and SIGINT stop it. A service that cannot start logs why and ends with exit code 1.
 */
export async function runAlone(name: string, start: StartService, variables: Variables): Promise<void> {
  const log = pino({ name, level: variables['LOG_LEVEL'] ?? 'info' }, pino.destination({ dest: 2, sync: true }))
  const runtime: Runtime = { clock: systemClock, log, ids: systemIds, shared: createShared() }
  try {
    const running = await start(variables, runtime)
    stopOnSignal(running, log)
    // Without a server there are only its connections, and those may be away for a while.
    keepAlive()
    if (running.server) await listen(running.server, variables, log)
  } catch (error) {
    log.fatal({ err: error }, 'start failed')
    process.exit(1)
  }
}

function stopOnSignal(running: Running, log: Log): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      running.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'stop failed')
          process.exit(1)
        },
      )
    })
  }
}

async function listen(server: Server, variables: Variables, log: Log): Promise<void> {
  const host = variables['HOST'] ?? '127.0.0.1'
  const port = Number(variables['PORT'] ?? 8000)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  log.info({ address: server.address() }, 'listening')
}
